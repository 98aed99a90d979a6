package proc

import (
	"os"
	"testing"
)

// A process that writes without an end writes nothing from the moment on at which Freeze has returned.
func TestAFrozenProcessStandsStill(t *testing.T) {
	path := t.TempDir() + "/written"
	p := start(t, "while :; do echo x; done >"+path)
	length := func() int64 {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	for range 20 {
		for before := length(); length() == before; {
		}
		if err := Freeze(p.PID()); err != nil {
			t.Fatal(err)
		}
		before := length()
		for range 10_000 {
			if now := length(); now != before {
				t.Fatalf("a frozen process has written %d bytes", now-before)
			}
		}
		if err := Thaw(p.PID()); err != nil {
			t.Fatal(err)
		}
	}
	if Freeze(1<<22+1) == nil || Thaw(1<<22+1) == nil {
		t.Error("a process above the kernel's highest pid is frozen")
	}
}

package peers

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"tradechat.internal/testkit/proc"
)

func TestOnlyWhatIsChosenIsCompared(t *testing.T) {
	for _, c := range []struct {
		only string
		want []int // contenders of each class that is left
	}{
		{"redis,postgres,nats,echo", []int{3, 3, 6, 2}},
		{"redis", []int{2, 2, 3}},
		{"nats", []int{2, 2}},
		{"echo,postgres", []int{2, 2, 3}},
	} {
		var got []int
		for _, class := range chosen(classes(proc.Binaries{}, DefaultOptions()), strings.Split(c.only, ",")) {
			got = append(got, len(class.contenders))
			if class.contenders[0].peer != "" {
				t.Errorf("%s: %s comes first in %s", c.only, class.contenders[0].name, class.key)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v contenders, want %v", c.only, got, c.want)
		}
	}
}

func TestWhatIsNotInstalledIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := startRedis(t.Context(), noFile, false); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "redis-server is not installed") {
		t.Errorf("redis: %v", err)
	}
	if _, err := startCEcho(t.Context()); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "gcc is not installed") {
		t.Errorf("gcc: %v", err)
	}
}

func TestVersionsAreNumbers(t *testing.T) {
	if version("/x/9/bin/initdb") >= version("/x/15/bin/initdb") || version("/x/15/bin/initdb") != 15 {
		t.Error("9 is not before 15")
	}
}

func TestRedisConfig(t *testing.T) {
	always, off := redisConfig("127.0.0.1:77", "/f", "secret", fsyncAlways), redisConfig("127.0.0.1:77", "/f", "secret", noFile)
	for _, line := range []string{"port 77\n", "dir /f\n", "requirepass secret\n", "appendonly yes\nappendfsync always\n"} {
		if !strings.Contains(always, line) {
			t.Errorf("no %q in:\n%s", line, always)
		}
	}
	if !strings.Contains(off, "appendonly no\n") || strings.Contains(off, "appendfsync") {
		t.Errorf("a file though there is to be none:\n%s", off)
	}
}

func TestAReservedPortIsHeldUntilItsServerListens(t *testing.T) {
	address, reserved, err := reserve()
	if err != nil {
		t.Fatal(err)
	}
	defer reserved.Close()
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Errorf("somebody answers on %s", address)
	}
	listener, err := net.Listen("tcp", address) // with SO_REUSEADDR, as servers do
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
}

func TestAProgramThatEndsIsNotReady(t *testing.T) {
	s, err := newStation("test")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Discard()
	never := errors.New("nobody answers")
	err = s.run(t.Context(), proc.Command{Path: "/bin/sh", Args: []string{"-c", "echo out of order >&2; exit 3"}}, func(context.Context) error { return never })
	if !errors.Is(err, proc.ErrEnded) || !errors.Is(err, never) || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("%v", err)
	}
	s.Discard()
	if _, err := os.Stat(s.folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
}

func TestSameCount(t *testing.T) {
	if err := sameCount("x", "12", 12); err != nil {
		t.Error(err)
	}
	for _, counted := range []string{"11", ""} {
		if err := sameCount("x", counted, 12); !errors.Is(err, ErrDisagree) {
			t.Errorf("%q: %v", counted, err)
		}
	}
}

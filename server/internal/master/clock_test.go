package master

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tradechat.internal/liblog"
	"tradechat.internal/shmstore"
)

// A clock that is behind the log is said once, and again only after it was right in between, or when more records are dated back.
func TestAClockBehindTheLogIsReported(t *testing.T) {
	shape := shmstore.DefaultShape()
	shape.Workers, shape.UsersMax, shape.SessionsMax, shape.RoomsMax, shape.LogRecords = 1, 16, 16, 1, 1024
	segment, err := shmstore.Create("tradechat-clocktest-"+strings.ReplaceAll(time.Now().Format("150405.000000000"), ".", ""), shape, shmstore.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = segment.Unlink(), segment.Close() })
	store, err := segment.Bind(0, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	m := &Master{segment: segment, log: liblog.New(liblog.Options{Writer: &log, Level: liblog.LevelInfo, Format: liblog.FormatJSON})}
	said := func(want int, when string) {
		t.Helper()
		m.lookAtClock()
		m.lookAtClock()
		if n := strings.Count(log.String(), "the wall clock is behind the log"); n != want {
			t.Errorf("%s: said %d times, want %d\n%s", when, n, want, &log)
		}
	}
	said(0, "an empty log")
	room := 0
	write := func(at time.Time) {
		t.Helper()
		store.SetNow(uint64(at.UnixNano()))
		room++
		if _, err := store.CreateUser([]byte("user"+string(rune('a'+room))), [32]byte{}, [32]byte{}); err != nil {
			t.Fatal(err)
		}
	}
	write(time.Now())
	said(0, "a right clock")
	write(time.Now().Add(24 * time.Hour))
	said(1, "a record of tomorrow")
	write(time.Now())
	said(2, "a record that is dated back")
	write(time.Now())
	said(2, "a right clock again")
}

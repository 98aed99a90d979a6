package liblog

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// queuePatience bounds every wait of these tests; a passing test never comes near it.
const queuePatience = 30 * time.Second

// fullPipe is a pipe into which nothing more fits.
func fullPipe(t *testing.T) (read, write *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = read.Close(), write.Close() })
	if err := write.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for page := []byte(strings.Repeat("x", 4095) + "\n"); err == nil; {
		_, err = write.Write(page)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if err := write.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	return read, write
}

// TestQueueDoesNotWaitForAReader logs far more than pipe and queue hold while nobody reads. When the reader comes back it gets the
// oldest lines, where some are missing one that says how many, and then what comes after.
func TestQueueDoesNotWaitForAReader(t *testing.T) {
	read, write := fullPipe(t)
	queue := NewQueue(write, nil)
	log := New(Options{Writer: queue, Role: "worker"})
	const events = 20_000
	began := time.Now()
	for n := range events {
		log.Info().Int("n", n).Msg("tick")
	}
	if took := time.Since(began); took > queuePatience/2 {
		t.Errorf("%d events took %v while nobody read", events, took)
	}
	if queue.Flush(50 * time.Millisecond) {
		t.Error("Flush says that all is written, and nobody reads")
	}
	dropped := log.TakeDropped()
	if dropped == 0 || log.TakeDropped() != 0 {
		t.Errorf("%d lines dropped of %d, then again", dropped, events)
	}
	next, seen, told := 0, 0, uint64(0)
	lines := bufio.NewScanner(read)
	for next < events && lines.Scan() {
		var line struct {
			N       int    `json:"n"`
			Dropped uint64 `json:"dropped"`
			Role    string `json:"role"`
		}
		if strings.HasPrefix(lines.Text(), "x") {
			continue
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.Role != "worker" {
			t.Fatalf("line %q: %v", lines.Text(), err)
		}
		if line.Dropped != 0 { // it stands where the lines are missing
			told += line.Dropped
			next += int(line.Dropped)
			continue
		}
		if line.N != next {
			t.Fatalf("line %d comes where %d is due", line.N, next)
		}
		next, seen = next+1, seen+1
	}
	if told != dropped || seen+int(dropped) != events {
		t.Errorf("%d lines came, %d were dropped, the log says %d; there were %d", seen, dropped, told, events)
	}
	log.Info().Msg("and on")
	if !lines.Scan() || !strings.Contains(lines.Text(), "and on") {
		t.Errorf("then comes %q", lines.Text())
	}
	log.Close()
}

// TestQueueOnANonblockingDescription: another program has set O_NONBLOCK on what it shares with this one. Nothing is lost by that.
func TestQueueOnANonblockingDescription(t *testing.T) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	read, write := os.NewFile(uintptr(p[0]), "read"), os.NewFile(uintptr(p[1]), "write")
	defer read.Close()
	if err := unix.SetNonblock(p[1], true); err != nil { // the os.File does not know
		t.Fatal(err)
	}
	queue := NewQueue(write, nil)
	log := New(Options{Writer: queue})
	const events = 1_000 // more than a pipe of 64 KiB holds
	for n := range events {
		log.Info().Int("n", n).Msg("tick")
	}
	go func() {
		queue.Flush(queuePatience)
		write.Close()
	}()
	n := 0
	for lines := bufio.NewScanner(read); lines.Scan(); n++ {
		if !json.Valid(lines.Bytes()) {
			t.Fatalf("line %d: %q", n, lines.Text())
		}
	}
	if n != events || log.TakeDropped() != 0 {
		t.Errorf("%d lines of %d", n, events)
	}
}

func TestQueueCountsWhatCannotBeWritten(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	read.Close()
	failed := make(chan error, 10)
	queue := NewQueue(write, func(err error) { failed <- err })
	if _, err := queue.Write([]byte("one\ntwo\n")); err != nil || !queue.Flush(queuePatience) {
		t.Fatal(err)
	}
	if err := <-failed; !errors.Is(err, unix.EPIPE) {
		t.Errorf("told of %v", err)
	}
	if n := queue.TakeDropped(); n != 2 {
		t.Errorf("%d lines lost, want 2", n)
	}
}

func TestQueueKnowsTerminals(t *testing.T) {
	master, terminal := openTerminal(t)
	log := New(Options{Writer: NewQueue(terminal, nil)})
	log.Info().Msg("hello")
	if line := readLine(t, master); json.Valid(line) || !strings.Contains(string(line), "hello") {
		t.Errorf("%q, want console form", line)
	}
}

func TestQueuedLineAllocatesNothing(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	log := New(Options{Writer: NewQueue(null, nil), Format: FormatJSON})
	if n := testing.AllocsPerRun(1000, func() { log.Info().Int("n", 1).Msg("tick") }); n != 0 {
		t.Errorf("%v allocations a line", n)
	}
}

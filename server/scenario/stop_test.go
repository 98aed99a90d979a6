package scenario

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stopOrders are the ways in which a signal to stop reaches the processes of a server: a terminal, a supervisor and systemd send it to all
// of them, in no order that anybody promised.
var stopOrders = []struct {
	name string
	send func(s *server) error
}{
	{"the group at once", func(s *server) error { return unix.Kill(-s.cmd.Process.Pid, unix.SIGTERM) }},
	{"log writer, workers, master", func(s *server) error { return s.terminate(true) }},
	{"master, workers, log writer", func(s *server) error { return s.terminate(false) }},
	{"the group, and again by a wrapper", func(s *server) error {
		return errors.Join(unix.Kill(-s.cmd.Process.Pid, unix.SIGTERM), s.signal("TERM"), unix.Kill(-s.cmd.Process.Pid, unix.SIGINT))
	}},
}

// terminate sends SIGTERM to each process, the log writer first or last. The pause lets one that obeys it end.
func (s *server) terminate(logWriterFirst bool) error {
	send := []func() error{func() error { return s.logWriter.signal("TERM") }}
	for _, w := range s.workers {
		send = append(send, func() error { return w.signal("TERM") })
	}
	send = append(send, func() error { return s.signal("TERM") })
	var failed error
	for i := range send {
		if !logWriterFirst {
			i = len(send) - 1 - i
		}
		// A process that the stop has ended meanwhile was no longer there to be told.
		if err := send[i](); err != nil && !errors.Is(err, unix.ESRCH) {
			failed = errors.Join(failed, err)
		}
		time.Sleep(20 * time.Millisecond) // the order is what is tested
	}
	return failed
}

// TestStopLosesNothing stops a server under load, by signals in every order and in every mode of durability: it must end with 0 and leave no
// segment, and the journal, which is then all there is, must have whatever a client was told.
func TestStopLosesNothing(t *testing.T) {
	for _, order := range stopOrders {
		for _, mode := range []string{"sync", "async", "none"} {
			t.Run(order.name+"/"+mode, func(t *testing.T) {
				t.Parallel() // it is mostly waiting for clients that do not hang up
				w := newWorld(shortFolder(t))
				t.Cleanup(w.cleanUp)
				check(t, w.startServer(launchRequest{flags: []string{"--workers=3", "--durability=" + mode}}))
				acked := new(atomic.Int64)
				all := openTellers(t, w, rand.New(rand.NewPCG(1, 2)), acked)
				var working sync.WaitGroup
				failures := make(chan error, len(all))
				for _, teller := range all {
					working.Go(func() { failures <- teller.work() })
				}
				check(t, await("requests to be acknowledged", func() bool { return acked.Load() >= 2000 }))
				check(t, order.send(w.server))
				how, err := w.server.end(0)
				if err != nil || how != "0" {
					t.Errorf("the server ended with %s, %v:\n%s", how, err, w.server.stderr.whole())
				}
				working.Wait()
				for range all {
					check(t, <-failures)
				}
				if _, err := os.Stat(w.segmentPath()); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("the segment is left: %v", err)
				}
				checkJournal(t, filepath.Join(w.data, "journal"), all)
			})
		}
	}
}

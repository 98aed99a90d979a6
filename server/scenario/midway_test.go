package scenario

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/shmstore"
)

// cmdMidway kills a worker in the middle of a transfer. Sessions on it pay users, all at once and without a pause, by TRANSFERs and by
// batches of many, which keep it busy with little else; the process is stopped and looked at in the segment, again and again, until it
// stands where it is wanted, and is killed there:
//
//	begun      it holds locks, and nothing is committed
//	committed  a record is committed, and not yet applied to all rows
//
// So the moment is certain, whatever the machine; what is left to luck is how many stops it takes.
func cmdMidway(ts *testscript.TestScript, w *world, args []string) {
	s, in := w.running(ts), &words{ts, args}
	slot, wanted := in.number("slot"), in.next("begun or committed")
	w.tellers = nil
	acked := new(atomic.Int64)
	for i, word := range in.rest {
		from, to, found := strings.Cut(word, ">")
		if u, known := w.users[to]; !found || !known {
			ts.Fatalf("%q is not SESSION>USER, both logged in before", word)
		} else {
			w.tellers = append(w.tellers, &teller{
				session: w.session(ts, from), pays: true, others: []uint32{u.id}, acked: acked, random: rand.New(rand.NewPCG(uint64(i), 0)),
			})
		}
	}
	segment, err := shmstore.OpenReadOnly(w.segment)
	ts.Check(err)
	defer segment.Close()
	var working sync.WaitGroup
	failures := make(chan error, len(w.tellers))
	for _, l := range w.tellers {
		working.Go(func() { failures <- l.work() })
	}
	stops, err := s.workers[slot].killMidway(segment, slot, wanted)
	if err != nil {
		ended := len(failures)
		for range ended {
			err = errors.Join(err, <-failures)
		}
		ts.Fatalf("%v\nafter %d answers; %d of %d sessions have ended", err, acked.Load(), ended, len(w.tellers))
	}
	working.Wait()
	for range w.tellers {
		ts.Check(<-failures)
	}
	fmt.Fprintf(ts.Stdout(), "%s, at stop %d, after %d answers\n", wanted, stops, acked.Load())
}

// killMidway stops a process until it stands where it is wanted, and then kills it. It runs on between two stops.
func (p workerProcess) killMidway(segment *shmstore.Segment, slot int, wanted string) (stops int, err error) {
	for over := time.Now().Add(workMax); time.Now().Before(over); {
		if err := p.signal("STOP"); err != nil {
			return stops, err
		}
		stops++
		locks, committed := segment.Unfinished(slot)
		if wanted == "begun" && locks > 0 && committed == 0 || wanted == "committed" && committed != 0 {
			return stops, p.signal("KILL")
		}
		if err := p.signal("CONT"); err != nil {
			return stops, err
		}
		time.Sleep(midwayRun)
	}
	return stops, fmt.Errorf("worker %d was never in the middle of a transfer that is %s, at %d stops: %w", slot, wanted, stops, errPatience)
}

// cmdDecided has the sessions of midway resumed on another worker. What was not answered is asked for with TXN_STATUS and made again
// under its req_id: the two must agree, and what was answered must be answered the same.
func cmdDecided(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	if !in.skip("on") {
		ts.Fatalf("decided on SLOT")
	}
	slot := in.number("slot")
	in.end()
	applied, lost := 0, 0
	for _, l := range w.tellers {
		a, n, err := w.comeBack(l, slot)
		ts.Check(err)
		applied, lost = applied+a, lost+n
		w.sessions[l.name], w.past[l.name] = l.session, l.session
	}
	if applied+lost == 0 {
		ts.Check(errors.New("nothing was decided"))
	}
	fmt.Fprintf(ts.Stdout(), "applied %d, not applied %d\n", applied, lost)
}

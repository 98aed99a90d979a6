package driver

import (
	"sync/atomic"

	"tradechat.internal/loadgen/internal/arrival"
	"tradechat.internal/loadgen/internal/stats"
)

// Step is one stretch of load. Times are of the fleet's clock.
type Step struct {
	Timeline *stats.Timeline
	Rate     float64 // requests a second of all threads together; 0: a closed loop
	Arrivals arrival.Kind
	Seed     uint64
	BeginNs  int64 // requests that are due before it are another step's, and are not counted
	EndNs    int64 // open loop: nothing is due from then on
}

// order is what all threads are to do. It does not change but for the next one, which comes when it is given: every thread obeys
// all orders, however fast they follow each other. Each thread reports once that it has done what was ordered, unless another
// order came before that.
type order struct {
	next     atomic.Pointer[order]
	phase    Phase
	timeline *stats.Timeline // to count in from now on; nil: the same as before
	step     *Step           // Load
	missing  atomic.Int32    // threads that have not done it
	done     chan struct{}   // closed when all have
}

func newOrder(threads int, phase Phase, timeline *stats.Timeline, step *Step) *order {
	o := &order{phase: phase, timeline: timeline, step: step, done: make(chan struct{})}
	o.missing.Store(int32(threads))
	return o
}

// report takes a thread's word that it has done it.
func (o *order) report() {
	if o.missing.Add(-1) == 0 {
		close(o.done)
	}
}

// obey begins what is ordered.
func (t *Thread) obey(o *order) {
	t.now = t.clock()
	if t.phase == Load {
		t.pump() // what was due until now is the old step's
		t.stats.CPU = stats.ReadClock().Since(t.began)
		t.pace.open = false
		if t.order.step.EndNs > t.now {
			t.skipAll() // an interrupt
		}
	}
	t.order, t.phase, t.told = o, o.phase, false
	if o.timeline != nil {
		t.stats.End()
		t.stats = o.timeline.Thread(t.index)
	}
	switch o.phase {
	case Load:
		t.start(o.step)
	case End:
		for _, c := range t.conns {
			c.end(errStopped)
		}
		return
	}
	for _, c := range t.conns {
		c.enter(o.phase)
	}
}

// skipAll gives up what waits on any connection.
func (t *Thread) skipAll() {
	for _, c := range t.conns {
		c.skipWaiting()
	}
}

// start begins a step.
func (t *Thread) start(s *Step) {
	t.began = stats.ReadClock()
	t.countFrom = s.BeginNs
	t.resting.clear()
	t.stats.Start(s.BeginNs)
	if s.Rate > 0 {
		part := arrival.Part{First: t.index, Stride: t.plan.Threads, Connections: t.plan.Connections}
		t.pace.open, t.pace.schedule = true, arrival.New(s.Arrivals, part, s.Rate, s.Seed, s.BeginNs, s.EndNs)
	}
}

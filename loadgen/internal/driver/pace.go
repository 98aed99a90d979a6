package driver

import (
	"tradechat.internal/loadgen/internal/arrival"
	"tradechat.internal/loadgen/internal/stats"
)

// pace is the open loop of a thread: its requests are due at times of their own. One that is due when its connection can send
// nothing waits there; the wait is part of its latency, for whoever would have asked would have waited, too.
//
//	schedule ──due──▶ connection ── has a place in its pipeline ──▶ sent        now − due > LateAfter: late
//	                      └── else: waiting … an answer makes room ─▶ sent
//	                                   └── for longer than the timeout, or too many ─▶ skipped
//
// What waits when the step ends is sent all the same: its latencies are those that a stall is seen by.
type pace struct {
	open     bool
	schedule arrival.Schedule
	waiting  int // of all connections of the thread
}

// due is when the next request is.
func (p *pace) due() (ns int64, ok bool) {
	if !p.open {
		return 0, false
	}
	return p.schedule.Due()
}

// pump deals out what has become due.
func (t *Thread) pump() {
	if !t.pace.open || t.phase != Load {
		return
	}
	for due, ok := t.pace.schedule.Due(); ok && due <= t.now; due, ok = t.pace.schedule.Due() {
		if t.now-due > int64(stats.LateAfter) {
			t.stats.Behind++
		}
		t.conns[t.pace.schedule.Next()].arrive(due)
	}
	for _, c := range t.touched {
		c.touched = false
		c.flush()
	}
	t.touched = t.touched[:0]
}

// arrive takes a request that is due.
func (c *Conn) arrive(due int64) {
	t := c.thread
	if c.waiting.empty() && c.mayAsk() && c.issue(t.plan.Mix.Pick(c.draw32()), due) {
		if !c.touched { // its frames go out together
			c.touched = true
			t.touched = append(t.touched, c)
		}
		return
	}
	if t.pace.waiting == waitingMax || !c.waiting.push(due) {
		t.skip(due)
		return
	}
	t.pace.waiting++
}

// mayAsk reports whether the connection may make one more request of the load now.
func (c *Conn) mayAsk() bool {
	return c.state == ready && c.calls.load+c.resting < c.thread.plan.Pipeline && c.pausedTill <= c.thread.now && !c.departing
}

// sendWaiting sends what is waiting and has room now.
func (c *Conn) sendWaiting() {
	t := c.thread
	for due, ok := c.waiting.first(); ok && c.mayAsk(); due, ok = c.waiting.first() {
		if t.now-due > int64(t.plan.Timeout) {
			t.skip(due)
		} else if !c.issue(t.plan.Mix.Pick(c.draw32()), due) {
			return
		}
		c.unwait()
	}
}

// skipOverdue gives up what has been waiting for longer than an answer may take.
func (c *Conn) skipOverdue() {
	t := c.thread
	for due, ok := c.waiting.first(); ok && t.now-due > int64(t.plan.Timeout); due, ok = c.waiting.first() {
		c.unwait()
		t.skip(due)
	}
}

// skipWaiting gives up all that is waiting.
func (c *Conn) skipWaiting() {
	for due, ok := c.waiting.first(); ok; due, ok = c.waiting.first() {
		c.unwait()
		c.thread.skip(due)
	}
}

func (c *Conn) unwait() {
	c.waiting.pop()
	c.thread.pace.waiting--
}

// skip counts a request that will not be sent.
func (t *Thread) skip(due int64) {
	if due >= t.countFrom {
		t.stats.Skip(1)
	}
}

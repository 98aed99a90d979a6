package driver

import (
	"fmt"
	"time"

	"tradechat.internal/loadgen/internal/stats"
)

// sweep looks for what is overdue.
func (c *Conn) sweep() {
	t := c.thread
	c.skipOverdue()
	switch c.state {
	case gone:
	case down:
		t.hurried = true
		if t.phase.returns() && t.now >= c.retryAt && t.connecting < connectingMax && t.mayConnect() {
			c.connect()
		}
	case connecting:
		if t.now >= c.deadline {
			c.end(fmt.Errorf("connect: %w", errNoAnswer))
		}
	default:
		c.expire()
		if c.state == ready && c.departing && c.calls.live == 0 {
			c.end(errDeparting)
		}
		if c.state == ready {
			c.askHistory()
			c.refill()
			c.flush()
		}
	}
}

// mayConnect keeps to the rate at which connections are to begin, if there is one.
func (t *Thread) mayConnect() bool {
	if t.plan.ConnectRate == 0 {
		return true
	}
	if t.now < t.connectAt {
		return false
	}
	every := float64(time.Second) * float64(t.plan.Threads) / t.plan.ConnectRate
	t.connectAt = max(t.connectAt, t.now-int64(connectCatchUp)) + int64(every)
	return true
}

// expire fails the calls that were not answered in time.
func (c *Conn) expire() {
	before := c.thread.now - int64(c.thread.plan.Timeout)
	for call := c.calls.first(); call != nil && call.sentNs <= before; call = c.calls.first() {
		switch {
		case call.kind.isLoad():
			if c.failed(call, stats.Timeout) {
				c.thread.stats.Unanswered++
			}
			c.think()
			c.calls.expire(call)
		case call.kind == history:
			c.historyOver(call) // to be asked again
			c.calls.expire(call)
		case call.kind == mark:
			c.markOver(call)
			c.calls.expire(call)
		case call.kind == txnStatus || call.kind == txnWitness:
			c.calls.expire(call)
		default:
			c.end(fmt.Errorf("%v: %w", call.kind.opcode(), errNoAnswer))
			return
		}
	}
	if c.calls.expired > expiredMax {
		c.end(errExpired)
	}
}

// pause keeps the connection silent for as long as the server asks.
func (c *Conn) pause(ms uint32) {
	wait := min(max(int64(ms)*1e6, int64(pauseMin)), int64(pauseMax))
	c.pausedTill = max(c.pausedTill, c.thread.now+wait)
	c.thread.stats.Pauses++
	c.thread.hurried = true
}

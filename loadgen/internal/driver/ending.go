package driver

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/moneycheck"
	"tradechat.internal/loadgen/internal/roster"
	"tradechat.internal/loadgen/internal/stats"
)

// Why connections end, beside what the system says.
var (
	errClosed    = errors.New("the server closed the connection")
	errDeparting = errors.New("the server announced that it closes the connection")
	errStopped   = errors.New("the load is over")
	errNoAnswer  = errors.New("no answer in time")
	errRefused   = errors.New("refused")
	errExpired   = errors.New("too many requests without an answer")
	errViolation = errors.New("the server broke the protocol")
)

// end closes the socket: what was in flight fails, the chat memberships end, and it comes back later or never.
func (c *Conn) end(why error) {
	failed := stats.Other
	if errors.Is(why, libproto.ErrChecksum) {
		failed = stats.Checksum
	}
	if isViolation(why) {
		c.thread.plan.Violations.Add("connection %d: %v", c.id, why)
	}
	c.calls.clear(func(call *call) { c.abandon(call, failed, closedByServer(why)) })
	c.leaveRooms()
	if c.fd >= 0 {
		_ = unix.Close(c.fd)
	}
	unreached := c.state == connecting && why != errStopped
	switch c.state {
	case connecting, greeting, loggingIn, joining:
		c.thread.connecting--
	case ready:
		c.thread.ready--
		c.thread.stats.Lost++
	}
	c.fd, c.writing = -1, false
	c.rest, c.out, c.outSent = c.rest[:0], c.out[:0], 0
	c.toJoin, c.marking, c.asking, c.departing, c.pausedTill = 0, 0, false, false, 0
	if !unreached || !c.elsewhere() {
		c.retire(why)
	}
}

// isViolation reports whether the server did what the protocol does not allow.
func isViolation(why error) bool {
	return errors.Is(why, errViolation) || errors.Is(why, libproto.ErrChecksum) || libproto.IsFatal(why) ||
		errors.Is(why, roster.ErrHello) || errors.Is(why, roster.ErrImpostor)
}

// retire says what becomes of a connection that has no socket.
func (c *Conn) retire(why error) {
	t := c.thread
	if c.state != ready && c.state != leaving && why != errStopped {
		t.fail(fmt.Errorf("connection %d (user %s): %w", c.id, c.user.Name, why))
		if c.was {
			t.stats.Rejected++
		}
	}
	if !t.phase.returns() {
		c.state = gone
		c.skipWaiting()
		c.leaveDoubts()
		return
	}
	c.state = down
	c.retryAt = max(c.retryAt, t.now+int64(c.backoff.Next()))
	t.hurried = true
}

// abandon settles a call that will never be answered.
func (c *Conn) abandon(call *call, failed stats.ErrorKind, closedByServer bool) {
	if !call.kind.isLoad() {
		return
	}
	op := mix.Op(call.kind)
	if !call.expired && c.failed(call, failed) {
		c.thread.stats.InFlight++
	}
	if op.MovesMoney() {
		c.doubt(c.posting(call), closedByServer)
	}
}

func (c *Conn) posting(call *call) moneycheck.Posting {
	p := moneycheck.Posting{
		Session: c.session,
		ReqID:   call.id,
		User:    uint32(c.thread.plan.user(c.id)),
		Peer:    call.peer,
		Op:      mix.Op(call.kind),
		Amount:  call.amount,
	}
	if p.Op == mix.TransferBatch {
		legs := slices.Clone(c.legsOf(call.slot()))
		p.Legs = &legs
	}
	return p
}

// leaveRooms ends the memberships: in the Leave phase with the verdict, before it without, for a member that is gone
// is owed nothing.
func (c *Conn) leaveRooms() {
	if c.thread.plan.Chat == nil {
		return
	}
	if c.thread.phase >= Leave {
		c.sender.Finish()
	}
	c.sender.Close()
	for i := range c.members {
		if c.thread.phase >= Leave {
			c.members[i].Finish()
		}
		c.members[i].Leave()
	}
}

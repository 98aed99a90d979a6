package worker

import (
	"testing"

	"tradechat.internal/libproto"
)

// TestDrainWaitsForTheDisk: what is parked when everybody is hung up on is still sent.
func TestDrainWaitsForTheDisk(t *testing.T) {
	c := newCluster(t, nil)
	c.addUser("alice", 0)
	c.addUser("bob", 0)
	j := c.openJournal()
	c.start()
	p, other := c.workers[0].enter(t, "alice"), c.workers[0].enter(t, "bob")
	id := p.sent(libproto.OpDeposit, libproto.DepositRequest{Amount: 5})
	p.silent()
	c.workers[0].Drain()
	p.wentAway(libproto.GoingAwayShutdown)
	other.goingAway(libproto.GoingAwayShutdown) // it has nothing parked: this is when all are hung up on
	j.sync()
	p.answered(libproto.OpDeposit, id)
	p.closed()
	_, _ = p.socket.Close(), other.socket.Close()
	must(t, c.workers[0].wait())
	c.verify()
}

// TestDrainDoesNotWaitForGood: a journal that does nothing holds up a drain by drainMax at most.
func TestDrainDoesNotWaitForGood(t *testing.T) {
	c := newCluster(t, nil)
	c.addUser("alice", 0)
	c.openJournal()
	c.start()
	p := c.workers[0].enter(t, "alice")
	p.sent(libproto.OpDeposit, libproto.DepositRequest{Amount: 5})
	p.silent()
	c.workers[0].Drain()
	must(t, c.workers[0].wait())
	p.goingAway(libproto.GoingAwayShutdown)
}

package driver

// Phase is a part of a run; see the package comment.
type Phase int32

const (
	Connect Phase = iota
	Rest
	Load
	Settle
	Mark
	Drain
	Leave
	End
)

var phaseNames = [...]string{"connect", "rest", "load", "settle", "mark", "drain", "leave", "end"}

func (p Phase) String() string { return phaseNames[p] }

// returns reports whether a connection that ends in the phase comes back.
func (p Phase) returns() bool { return p <= Load }

// sends reports whether requests of the load are sent in the phase: after the load, those that were due in it and wait.
func (p Phase) sends() bool { return p == Load || p == Rest || p == Settle }

// enter does what a phase begins with, for one connection.
func (c *Conn) enter(p Phase) {
	switch p {
	case Load:
		c.resting = 0 // every place begins afresh
		c.refill()
	case Settle:
		if c.state != ready {
			c.end(errStopped)
		}
	case Mark:
		c.skipWaiting()
		c.markRooms()
	case Drain:
		c.askHistory()
	case Leave:
		c.logOut()
	}
	c.flush()
}

// reached reports whether the connection has nothing left to do in the phase.
func (c *Conn) reached(p Phase) bool {
	switch p {
	case Connect:
		return c.state == ready
	case Rest:
		return c.state == ready && c.calls.load == 0 && c.waiting.empty()
	case Settle:
		return c.calls.load == 0 && c.waiting.empty()
	case Mark:
		return c.marking == 0
	case Drain:
		return c.state != ready || c.caughtUp()
	case Leave:
		return c.state == gone
	}
	return false
}

package driver

import (
	"fmt"
	"math/rand/v2"

	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/moneycheck"
	"tradechat.internal/loadgen/internal/roster"
)

type connState uint8

const (
	down connState = iota
	connecting
	greeting
	loggingIn
	joining
	ready
	leaving
	gone
)

// Conn is one connection to be, over all the sockets that it has in a run.
type Conn struct {
	thread *Thread
	number int32 // among the thread's connections: epoll's name for it
	id     uint32
	user   *roster.User
	state  connState

	address int // of the thread's servers: the one that is tried, or that answered last
	tried   int // addresses that failed since one answered
	fd      int
	writing bool   // EPOLLOUT is asked for
	rest    []byte // the part of a frame that has arrived
	out     []byte // what is to be sent
	outSent int    // bytes of it that are

	calls   callTable
	legs    []moneycheck.Leg // Plan.Batch of them for each slot of calls
	waiting dueQueue         // open loop: what is due and has no room
	touched bool             // open loop: it is in the thread's list of those that have frames to send
	resting int              // places of the pipeline that think
	session uint64
	hand    roster.Handshake
	members []chatcheck.Member // of the rooms that it is in, or will be
	sender  chatcheck.Sender
	doubts  []doubt
	witness uint64 // the newest money request of the session that is known to be applied; 0: none
	dice    rand.PCG

	toJoin     int   // JOIN_ROOM answers that are missing before it is ready
	marking    int   // JOIN_ROOM answers that are missing in the Mark phase
	asking     bool  // ROOM_HISTORY is on its way
	was        bool  // it was ready before
	departing  bool  // the server announced that it will close the connection
	pausedTill int64 // nothing is sent before; the thread's clock
	retryAt    int64 // down: not to be connected before
	deadline   int64 // connecting: to be given up then
	backoff    libnet.Backoff
}

func newConn(t *Thread, number int32, id uint32) *Conn {
	plan := t.plan
	c := &Conn{
		thread:  t,
		number:  number,
		id:      id,
		user:    &plan.Users[plan.user(id)],
		fd:      -1,
		calls:   newCallTable(plan.Pipeline),
		backoff: libnet.Backoff{Base: backoffBase, Cap: backoffCap},
		dice:    *rand.NewPCG(plan.Seed, uint64(id)),
	}
	if plan.Chat != nil {
		c.members = plan.Chat.Join(id)
		c.sender = plan.Chat.NewSender(id)
	}
	return c
}

// connect begins a new socket.
func (c *Conn) connect() {
	fd, err := connect(c.thread.servers[c.address])
	if err != nil {
		if !c.elsewhere() {
			c.retire(err)
		}
		return
	}
	if err := c.thread.poll.add(fd, c.number, wantWrite); err != nil {
		_ = unix.Close(fd)
		c.retire(err)
		return
	}
	c.fd, c.writing = fd, true
	c.state = connecting
	c.deadline = c.thread.now + int64(c.thread.plan.Timeout)
	c.thread.connecting++
}

// elsewhere turns to the server's next address, and reports whether that is one that was not tried since an address answered.
func (c *Conn) elsewhere() bool {
	t := c.thread
	c.address = (c.address + 1) % len(t.servers)
	c.tried++
	if c.tried >= len(t.servers) || !t.phase.returns() {
		c.tried = 0
		return false
	}
	c.state, c.retryAt = down, t.now
	t.hurried = true
	return true
}

// event takes what epoll tells of the socket.
func (c *Conn) event(events uint32) {
	if c.state == connecting {
		if err := connected(c.fd); err != nil {
			c.end(err)
			return
		}
		c.greet()
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		c.read()
	}
	c.flush()
}

// read takes what has arrived, one read(2) at a time: epoll tells if there is more.
func (c *Conn) read() {
	t := c.thread
	have := copy(t.in, c.rest)
	n, errno := readNow(c.fd, t.in[have:])
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case errno != 0:
		c.end(fmt.Errorf("read: %w", errno))
		return
	case n == 0:
		c.end(errClosed)
		return
	}
	t.now = t.clock()
	c.take(t.in[:have+n])
	c.refill()
}

// take handles the frames at the front of what has arrived, and keeps the rest.
func (c *Conn) take(arrived []byte) {
	used := 0
	for {
		frame, n, err := c.thread.decoder.Next(arrived[used:])
		if err == nil && n == 0 {
			c.rest = append(c.rest[:0], arrived[used:]...)
			return
		}
		if err == nil {
			err = c.frame(&frame)
		}
		if err != nil {
			c.end(err)
			return
		}
		used += n
	}
}

// flush sends what there is to send. What does not fit waits for the socket.
func (c *Conn) flush() {
	if c.fd < 0 || c.state == connecting {
		return
	}
	for c.outSent < len(c.out) {
		n, errno := writeNow(c.fd, c.out[c.outSent:])
		switch {
		case errno == unix.EAGAIN:
			c.wantToWrite(true)
			return
		case errno == unix.EINTR:
		case errno != 0:
			c.end(fmt.Errorf("write: %w", errno))
			return
		default:
			c.outSent += n
		}
	}
	c.out, c.outSent = c.out[:0], 0
	c.wantToWrite(false)
}

func (c *Conn) wantToWrite(on bool) {
	if c.writing == on {
		return
	}
	events := uint32(wantRead)
	if on {
		events = wantWrite
	}
	if err := c.thread.poll.change(c.fd, c.number, events); err != nil {
		c.end(err)
		return
	}
	c.writing = on
}

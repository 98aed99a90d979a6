package driver

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"
	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/chatcheck"
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

	fd      int
	writing bool   // EPOLLOUT is asked for
	rest    []byte // the part of a frame that has arrived
	out     []byte // what is to be sent
	outSent int    // bytes of it that are

	calls   callTable
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
	fd, err := connect(c.thread.server)
	if err != nil {
		c.retire(err)
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
	c.retire(why)
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
	if !call.expired {
		c.thread.stats.Failed(op, failed)
		c.thread.stats.InFlight++
	}
	if op.MovesMoney() {
		c.doubt(c.posting(call), closedByServer)
	}
}

func (c *Conn) posting(call *call) moneycheck.Posting {
	return moneycheck.Posting{
		Session: c.session,
		ReqID:   call.id,
		User:    uint32(c.thread.plan.user(c.id)),
		Peer:    call.peer,
		Op:      mix.Op(call.kind),
		Amount:  call.amount,
	}
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

// sweep looks for what is overdue.
func (c *Conn) sweep() {
	t := c.thread
	switch c.state {
	case gone:
	case down:
		t.hurried = true
		if t.phase.returns() && t.now >= c.retryAt && t.connecting < connectingMax {
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

// expire fails the calls that were not answered in time.
func (c *Conn) expire() {
	before := c.thread.now - int64(c.thread.plan.Timeout)
	for call := c.calls.first(); call != nil && call.sentNs <= before; call = c.calls.first() {
		switch {
		case call.kind.isLoad():
			c.thread.stats.Failed(mix.Op(call.kind), stats.Timeout)
			c.thread.stats.Unanswered++
			c.calls.expire(call)
		case call.kind == history:
			c.asking = false // to be asked again
			c.calls.expire(call)
		case call.kind == mark:
			c.marking--
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

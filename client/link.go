package client

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"tradechat.internal/libproto"
)

// link is one connection: it pipelines requests, correlates their responses by req_id and hands pushes on. It ends by
// itself when anything about the connection fails; done is closed when the last call has been told.
type link struct {
	conn      net.Conn
	onPush    func(Push)    // on the reader's goroutine: it must not wait
	onOrphans func([]*call) // nil: calls without an answer end with the link
	slots     chan struct{} // holds one for each call under way
	wake      chan struct{} // holds one while out may have something to write
	stop      chan struct{} // closed by the first fail
	done      chan struct{}

	receiveMax atomic.Uint32 // longest body to take
	sendMax    atomic.Uint32 // longest body to send
	sessionID  atomic.Uint64 // for OutcomeError
	served     atomic.Bool   // it has had an answer to a money request

	mu       sync.Mutex
	out      []byte           // frames that wait for the writer
	queued   uint64           // bytes that were ever put into out
	lastID   uint64           // the last req_id that was given out
	pending  map[uint64]*call // every request that has no answer yet
	goodbye  *GoingAwayError
	failedBy error // the first failure; nil while the link works
}

// call is one request on its way.
type call struct {
	op      libproto.Opcode
	req     libproto.Body // kept by those that may be sent again
	reqID   uint64        // 0 before it is queued, unless it is sent again
	sent    atomic.Pointer[sentAs]
	retried bool                       // it was sent before
	naming  sync.Mutex                 // held while it may get another name, and when its caller leaves, who is told its name
	gone    atomic.Bool                // its caller does not wait any more
	end     uint64                     // the offset in the stream behind its frame
	slot    bool                       // it holds one of link.slots
	hook    func(libproto.Frame) error // nil, or run by the reader before it reads on; the answer's status may be any
	answer  chan answer                // has room for the one answer: the reader does not wait for the caller
}

// sentAs is under which name the server knows a call. A call that is made anew in another session gets another one.
type sentAs struct{ sessionID, reqID uint64 }

// answer is what a call ends with: a status and a body of its own, or an error.
type answer struct {
	from   *link // whose frame it was
	status libproto.Status
	body   []byte
	err    error
}

// request is what a caller wants.
type request struct {
	op    libproto.Opcode
	reqID uint64 // of one that is made again; else 0
	req   libproto.Body
	resp  libproto.DecodableBody
	hook  func(libproto.Frame) error // may be nil
}

// linkOptions is what differs between links.
type linkOptions struct {
	pipelineMax         int
	sendMax, receiveMax uint32 // longest bodies, in bytes
	lastReqID           uint64 // the first request's is one more
	onPush              func(Push)
	onOrphans           func([]*call) // gets the calls that may be made again; nil: they end too
}

func newLink(conn net.Conn, o linkOptions) *link {
	l := &link{
		conn:      conn,
		onPush:    o.onPush,
		onOrphans: o.onOrphans,
		slots:     make(chan struct{}, o.pipelineMax),
		wake:      make(chan struct{}, 1),
		stop:      make(chan struct{}),
		done:      make(chan struct{}),
		lastID:    o.lastReqID,
		pending:   make(map[uint64]*call),
	}
	l.sendMax.Store(o.sendMax)
	l.receiveMax.Store(o.receiveMax)
	go l.run()
	return l
}

// run ends when the reader and the writer have: only then is it known how much the peer can have received. A failed
// write leaves the reader a moment, since answers, and the reason, may have come before the connection broke.
func (l *link) run() {
	var sent uint64
	var writeErr error
	var writing sync.WaitGroup
	writing.Go(func() {
		if sent, writeErr = l.write(); writeErr != nil {
			_ = l.conn.SetReadDeadline(time.Now().Add(lastWordsWait)) // fails when fail was faster, which ends the reader too
		}
	})
	l.fail(l.read())
	writing.Wait()
	l.abandon(sent)
	close(l.done)
}

// fail ends the link because of err; only the first one counts.
func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failedBy != nil {
		return
	}
	if l.goodbye != nil {
		err = l.goodbye
	}
	l.failedBy = err
	close(l.stop)
	l.conn.Close()
}

// shut ends the link because of err and waits until it has.
func (l *link) shut(err error) {
	l.fail(err)
	<-l.done
}

// cause is why the link failed, nil while it works.
func (l *link) cause() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failedBy
}

// lastReqID is the req_id after which another link of the same user goes on.
func (l *link) lastReqID() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lastID
}

// skipTo makes the next req_id greater than id: the session has seen that one.
func (l *link) skipTo(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastID = max(l.lastID, id)
}

// call makes one request and waits for its response; resp is filled in when the error is nil. hook may be nil.
func (l *link) call(ctx context.Context, op libproto.Opcode, req libproto.Body, resp libproto.DecodableBody, hook func(libproto.Frame) error) error {
	return l.make(ctx, request{op: op, req: req, resp: resp, hook: hook})
}

// make is call for any request. One that may be made again can outlive the link: its answer then comes from another one.
func (l *link) make(ctx context.Context, r request) error {
	if err := l.acquire(ctx, r.op); err != nil {
		return err
	}
	c := &call{op: r.op, reqID: r.reqID, retried: r.reqID != 0, slot: true, hook: r.hook, answer: make(chan answer, 1)}
	if retries(r.op) {
		c.req = r.req
	}
	if err := l.enqueue(c, r.req); err != nil {
		<-l.slots
		return err
	}
	select {
	case a := <-c.answer:
		return l.finish(c, a, r.resp)
	case <-ctx.Done():
	}
	select {
	case a := <-c.answer: // both were ready: the answer is worth more
		return l.finish(c, a, r.resp)
	default:
		c.leave()
		return l.unanswered(c, ctx.Err())
	}
}

// leave notes that the caller does not wait any more. The name that it has then stays.
func (c *call) leave() {
	c.naming.Lock()
	defer c.naming.Unlock()
	c.gone.Store(true)
}

// acquire takes a place among the calls under way.
func (l *link) acquire(ctx context.Context, op libproto.Opcode) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%v: not sent: %w", op, err)
	}
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-l.stop:
		return l.notSent(op, l.cause())
	case <-ctx.Done():
		return fmt.Errorf("%v: not sent, %d calls are under way: %w", op, cap(l.slots), ctx.Err())
	}
}

// enqueue gives c its req_id, unless it has one, and puts its frame behind all earlier ones.
func (l *link) enqueue(c *call, req libproto.Body) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failedBy != nil {
		return l.notSent(c.op, l.failedBy)
	}
	start, reqID := len(l.out), c.reqID
	if reqID == 0 {
		reqID = l.lastID + 1
	}
	l.out = libproto.AppendFrame(l.out, libproto.Header{Op: c.op, ReqID: reqID}, req)
	frameLen := len(l.out) - start
	if limit := int(l.sendMax.Load()); frameLen-libproto.HeaderLen > limit {
		l.out = l.out[:start]
		return fmt.Errorf("%v: %w: a body of %d bytes, the server takes at most %d", c.op, ErrInvalidArgument,
			frameLen-libproto.HeaderLen, limit)
	}
	l.lastID = max(l.lastID, reqID)
	l.queued += uint64(frameLen)
	c.reqID, c.end = reqID, l.queued
	c.sent.Store(&sentAs{l.sessionID.Load(), reqID})
	l.pending[c.reqID] = c
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return nil
}

// finish turns an answer into what the caller gets.
func (l *link) finish(c *call, a answer, resp libproto.DecodableBody) error {
	if a.err != nil {
		return a.err
	}
	if a.status != libproto.StatusOK {
		return a.from.refused(c, a)
	}
	if err := resp.Decode(a.body); err != nil {
		err = fmt.Errorf("%w: unreadable response to %v: %w", ErrProtocol, c.op, err)
		a.from.fail(err)
		return l.unanswered(c, err)
	}
	return nil
}

func (l *link) refused(c *call, a answer) error {
	refusal, err := newStatusError(c.op, a.status, a.body)
	if err != nil {
		l.fail(err)
		return l.unanswered(c, err)
	}
	if a.status == libproto.StatusTimeout || c.retried && saysNothing(a.status) {
		return l.unanswered(c, refusal)
	}
	return refusal
}

// saysNothing reports whether a status leaves open what became of a request that was sent before: this time it was not
// even looked at, or the log does not reach back to it.
func saysNothing(s libproto.Status) bool {
	return s == libproto.StatusServerBusy || s == libproto.StatusExpired
}

// unanswered is the error of a call that was sent, or may have been, and of whose outcome nothing can be said.
func (l *link) unanswered(c *call, cause error) error {
	if changes(c.op) {
		as := c.sent.Load()
		return &OutcomeError{Op: c.op, SessionID: as.sessionID, ReqID: as.reqID, Cause: cause}
	}
	return fmt.Errorf("%v: no answer: %w", c.op, cause)
}

// notSent is the error of a call that the server certainly did not get.
func (l *link) notSent(op libproto.Opcode, cause error) error {
	return fmt.Errorf("%v: not sent: %w: %w", op, ErrConnectionLost, cause)
}

// abandon ends every call that has no answer, but for those that may be sent again; sent is how many bytes of the stream
// the operating system took.
func (l *link) abandon(sent uint64) {
	if orphans := l.lose(sent); len(orphans) > 0 {
		l.onOrphans(orphans)
	}
}

func (l *link) lose(sent uint64) (orphans []*call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, c := range l.pending {
		delete(l.pending, id)
		reached := c.end <= sent
		switch {
		case l.onOrphans != nil && c.sent.Load().sessionID != 0 && c.req != nil && (reached || c.retried):
			l.free(c)
			c.retried = true
			orphans = append(orphans, c)
		case reached:
			l.end(c, answer{err: l.unanswered(c, fmt.Errorf("%w: %w", ErrConnectionLost, l.failedBy))})
		default:
			l.end(c, answer{err: l.notSent(c.op, l.failedBy)})
		}
	}
	return orphans
}

// free gives c's place among the calls under way back.
func (l *link) free(c *call) {
	if c.slot {
		<-l.slots
		c.slot = false
	}
}

// end gives c its one answer; c is not in pending any more.
func (l *link) end(c *call, a answer) {
	l.free(c)
	c.answer <- a
}

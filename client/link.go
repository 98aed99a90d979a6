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
	conn   net.Conn
	onPush func(Push)    // on the reader's goroutine: it must not wait
	slots  chan struct{} // holds one for each call under way
	wake   chan struct{} // holds one while out may have something to write
	stop   chan struct{} // closed by the first fail
	done   chan struct{}

	receiveMax atomic.Uint32 // longest body to take
	sendMax    atomic.Uint32 // longest body to send
	sessionID  atomic.Uint64 // for OutcomeError

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
	op     libproto.Opcode
	reqID  uint64
	end    uint64                     // the offset in the stream behind its frame
	slot   bool                       // it holds one of link.slots
	hook   func(libproto.Frame) error // nil, or run by the reader before it reads on; the answer's status may be any
	answer chan answer                // has room for the one answer: the reader does not wait for the caller
}

// answer is what a call ends with: a status and a body of its own, or an error.
type answer struct {
	status libproto.Status
	body   []byte
	err    error
}

// linkOptions is what differs between links.
type linkOptions struct {
	pipelineMax         int
	sendMax, receiveMax uint32 // longest bodies, in bytes
	lastReqID           uint64 // the first request's is one more
	onPush              func(Push)
}

func newLink(conn net.Conn, o linkOptions) *link {
	l := &link{
		conn:    conn,
		onPush:  o.onPush,
		slots:   make(chan struct{}, o.pipelineMax),
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
		lastID:  o.lastReqID,
		pending: make(map[uint64]*call),
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
	if err := l.acquire(ctx, op); err != nil {
		return err
	}
	c := &call{op: op, slot: true, hook: hook, answer: make(chan answer, 1)}
	if err := l.enqueue(c, req); err != nil {
		<-l.slots
		return err
	}
	select {
	case a := <-c.answer:
		return l.finish(c, a, resp)
	case <-ctx.Done():
	}
	select {
	case a := <-c.answer: // both were ready: the answer is worth more
		return l.finish(c, a, resp)
	default:
		return l.unanswered(c, ctx.Err())
	}
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

// enqueue gives c its req_id and puts its frame behind all earlier ones.
func (l *link) enqueue(c *call, req libproto.Body) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failedBy != nil {
		return l.notSent(c.op, l.failedBy)
	}
	start := len(l.out)
	l.out = libproto.AppendFrame(l.out, libproto.Header{Op: c.op, ReqID: l.lastID + 1}, req)
	frameLen := len(l.out) - start
	if limit := int(l.sendMax.Load()); frameLen-libproto.HeaderLen > limit {
		l.out = l.out[:start]
		return fmt.Errorf("%v: %w: a body of %d bytes, the server takes at most %d", c.op, ErrInvalidArgument,
			frameLen-libproto.HeaderLen, limit)
	}
	l.lastID++
	l.queued += uint64(frameLen)
	c.reqID, c.end = l.lastID, l.queued
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
		return l.refused(c, a)
	}
	if err := resp.Decode(a.body); err != nil {
		err = fmt.Errorf("%w: unreadable response to %v: %w", ErrProtocol, c.op, err)
		l.fail(err)
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
	if a.status == libproto.StatusTimeout {
		return l.unanswered(c, refusal)
	}
	return refusal
}

// unanswered is the error of a call that was sent, or may have been, and of whose outcome nothing can be said.
func (l *link) unanswered(c *call, cause error) error {
	if changes(c.op) {
		return &OutcomeError{Op: c.op, SessionID: l.sessionID.Load(), ReqID: c.reqID, Cause: cause}
	}
	return fmt.Errorf("%v: no answer: %w", c.op, cause)
}

// notSent is the error of a call that the server certainly did not get.
func (l *link) notSent(op libproto.Opcode, cause error) error {
	return fmt.Errorf("%v: not sent: %w: %w", op, ErrConnectionLost, cause)
}

// abandon ends every call that has no answer; sent is how many bytes of the stream the operating system took.
func (l *link) abandon(sent uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, c := range l.pending {
		delete(l.pending, id)
		err := l.notSent(c.op, l.failedBy)
		if c.end <= sent {
			err = l.unanswered(c, fmt.Errorf("%w: %w", ErrConnectionLost, l.failedBy))
		}
		l.end(c, answer{err: err})
	}
}

// end gives c its one answer; c is not in pending any more.
func (l *link) end(c *call, a answer) {
	if c.slot {
		<-l.slots
	}
	c.answer <- a
}

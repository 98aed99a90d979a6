package driver

import (
	"fmt"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/stats"
)

// Answers whose body is well formed and cannot be.
var (
	errZeroSeq = fmt.Errorf("%w: CHAT_SEND is acked with room_seq 0", errViolation)
	errZeroTxn = fmt.Errorf("%w: a transaction has txn_id 0", errViolation)
	errEcho    = fmt.Errorf("%w: HEARTBEAT echoes another client_time", errViolation)
)

// bodies are what a thread decodes into, again and again.
type bodies struct {
	failure   libproto.ErrorBody
	chatSend  libproto.ChatSendResponse
	heartbeat libproto.HeartbeatResponse
	balance   libproto.BalanceResponse
	txn       libproto.TxnResponse
	batch     libproto.TransferBatchResponse
	broadcast libproto.ChatBroadcast
	event     libproto.RoomEvent
	history   libproto.RoomHistoryResponse
}

// decode takes a body apart; one that does not parse breaks the protocol. B is a type parameter and not an interface
// so that body stays where it is.
func decode[B interface{ Decode([]byte) error }](into B, op libproto.Opcode, body []byte) error {
	if err := into.Decode(body); err != nil {
		return fmt.Errorf("%w: %v: %w", errViolation, op, err)
	}
	return nil
}

// frame handles one frame. After an error the connection is to be ended.
func (c *Conn) frame(f *libproto.Frame) error {
	if f.Flags&libproto.FlagResponse != 0 {
		return c.response(f)
	}
	return c.push(f)
}

func (c *Conn) response(f *libproto.Frame) error {
	found := c.calls.find(f.ReqID)
	switch {
	case found == nil:
		return fmt.Errorf("%w: an answer to %v with req_id %d, which is not in flight", errViolation, f.Op, f.ReqID)
	case f.Op != found.kind.opcode():
		return fmt.Errorf("%w: %v answers %v", errViolation, f.Op, found.kind.opcode())
	case f.Flags&libproto.FlagReplayed != 0:
		return fmt.Errorf("%w: an answer to %v is marked as replayed, and nothing was sent twice", errViolation, f.Op)
	case f.Status >= libproto.StatusCount:
		return fmt.Errorf("%w: %v is answered with %v", errViolation, f.Op, f.Status)
	}
	if f.Status != libproto.StatusOK {
		return c.failure(*found, f)
	}
	return c.success(*found, f.Body)
}

// success takes an OK answer. The call stays in the table until its body has been found to be sound: if it is not, the
// request fails with the connection.
func (c *Conn) success(done call, body []byte) error {
	var err error
	switch done.kind {
	case hello:
		err = c.greeted(body)
	case login:
		err = c.loggedIn(body)
	case join:
		err = c.joined(done.index, body)
	case mark:
		err = c.marked(&done, body)
	case history:
		err = c.historyCame(&done, body)
	case txnStatus:
		err = c.doubtAnswered(done.index, body)
	case txnWitness:
		err = c.witnessAnswered(done.index, body)
	case logout:
		err = errStopped
	default:
		err = c.answered(&done, body)
	}
	if err != nil {
		return err
	}
	if done.kind.isLoad() && c.inTime(&done) {
		c.succeeded(&done)
	}
	c.calls.finish(c.calls.find(done.id))
	return nil
}

// failure takes any other answer.
func (c *Conn) failure(done call, f *libproto.Frame) error {
	answer := &c.thread.bodies.failure
	if err := decode(answer, f.Op, f.Body); err != nil {
		return err
	}
	if !done.kind.isLoad() {
		if err := c.turnedDown(&done, f.Status, answer); err != nil {
			return err
		}
		c.calls.finish(c.calls.find(done.id))
		return nil
	}
	c.refused(&done, f.Status, answer.RetryAfterMs)
	if c.inTime(&done) && c.failed(&done, stats.KindOf(f.Status)) {
		c.thread.stats.Statuses[f.Status]++
	}
	c.calls.finish(c.calls.find(done.id))
	return nil
}

// inTime reports whether the answered request is still to be counted; one whose time had run out was.
func (c *Conn) inTime(done *call) bool {
	if !done.expired {
		c.think()
		return true
	}
	if c.isCounted(done) {
		c.thread.stats.Late++
	}
	return false
}

// isCounted reports whether a request belongs to the step that is being measured, and not to what came before.
func (c *Conn) isCounted(call *call) bool { return call.dueNs >= c.thread.countFrom }

// succeeded counts an OK answer that came in time.
func (c *Conn) succeeded(done *call) {
	t := c.thread
	if t.phase == Load && (!t.pace.open || t.now < t.order.step.EndNs) {
		t.stats.Answered++
	}
	if c.isCounted(done) {
		t.stats.Succeeded(mix.Op(done.kind), t.now-done.dueNs, t.now-done.sentNs)
	}
}

// failed counts a request that failed, if it is to be counted.
func (c *Conn) failed(call *call, kind stats.ErrorKind) bool {
	if !c.isCounted(call) {
		return false
	}
	c.thread.stats.Failed(mix.Op(call.kind), kind)
	return true
}

// turnedDown takes an answer that is not OK to a request outside of the load.
func (c *Conn) turnedDown(done *call, status libproto.Status, answer *libproto.ErrorBody) error {
	busy := status == libproto.StatusServerBusy
	if busy {
		c.pause(answer.RetryAfterMs)
	}
	switch done.kind {
	case mark:
		c.markOver(done) // what was acked is a mark, too
	case txnStatus, txnWitness: // it stays in doubt
	case history:
		if c.historyOver(done) && !busy {
			c.members[done.index].Lost()
		}
	case logout:
		return errStopped
	default:
		c.retryAt = c.pausedTill
		return fmt.Errorf("%w: %v: %v: %s", errRefused, done.kind.opcode(), status, answer.Detail)
	}
	return nil
}

// push takes a frame that answers nothing.
func (c *Conn) push(f *libproto.Frame) error {
	if f.ReqID != 0 || f.Status != libproto.StatusOK || f.Flags != 0 {
		return fmt.Errorf("%w: a push of %v with req_id %d, %v, flags %q", errViolation, f.Op, f.ReqID, f.Status, f.Flags)
	}
	switch f.Op {
	case libproto.OpChatBroadcast:
		return c.broadcast(f.Body)
	case libproto.OpRoomEvent:
		return c.roomEvent(f.Body)
	case libproto.OpGoingAway:
		return c.goingAway(f.Body)
	case libproto.OpDirectMessage:
		return nil // somebody else's: the load sends none
	}
	return fmt.Errorf("%w: a push of %v", errViolation, f.Op)
}

// goingAway makes no more requests, and ends the connection once the answers are there.
func (c *Conn) goingAway(body []byte) error {
	var push libproto.GoingAway
	if err := decode(&push, libproto.OpGoingAway, body); err != nil {
		return err
	}
	c.thread.stats.GoingAway++
	c.departing = true
	c.retryAt = c.thread.now + min(int64(push.ReconnectAfterMs)*1e6, int64(pauseMax))
	return nil
}

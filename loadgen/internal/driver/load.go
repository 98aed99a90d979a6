package driver

import (
	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/chatcheck"
	"tradechat.internal/loadgen/internal/mix"
	"tradechat.internal/loadgen/internal/stats"
)

// refill makes requests of the load: in a closed loop until as many are in flight as there may be, in an open one those that wait.
func (c *Conn) refill() {
	t := c.thread
	if !t.phase.sends() || c.state != ready || c.calls.load+c.resting >= t.plan.Pipeline {
		return
	}
	t.now = t.clock()
	if t.pace.open || t.phase != Load {
		c.sendWaiting()
		return
	}
	for c.mayAsk() && c.issue(t.plan.Mix.Pick(c.draw32()), t.now) {
	}
}

// issue makes one request. It fails when the table of calls is full.
func (c *Conn) issue(op mix.Op, due int64) bool {
	call, start, ok := c.open(kind(op))
	if !ok {
		return false
	}
	call.dueNs = due
	if call.sentNs-due > int64(stats.LateAfter) && due >= c.thread.countFrom {
		c.thread.stats.SentLate()
	}
	switch op {
	case mix.ChatSend:
		c.writeMessage(call)
	case mix.Heartbeat:
		c.out = libproto.HeartbeatRequest{ClientTimeNs: uint64(call.sentNs)}.AppendTo(c.out)
	case mix.Transfer:
		call.peer, call.amount = c.drawPeer(), c.drawAmount()
		to := c.thread.plan.Users[call.peer].ID
		c.out = libproto.TransferRequest{ToUserID: to, Amount: call.amount}.AppendTo(c.out)
	case mix.TransferBatch:
		c.writeBatch(call)
	case mix.Withdraw, mix.Deposit:
		call.amount = c.drawAmount()
		c.out = libproto.AmountRequest{Amount: call.amount}.AppendTo(c.out)
	case mix.Balance:
	}
	c.seal(start)
	return true
}

func (c *Conn) writeMessage(call *call) {
	t := c.thread
	call.index = int16(c.drawBelow(uint32(len(c.members))))
	member := &c.members[call.index]
	call.message = c.sender.Next(member)
	length := t.plan.PayloadMin + int(c.drawBelow(uint32(t.plan.PayloadMax-t.plan.PayloadMin+1)))
	t.message = t.plan.Chat.Codec.AppendMessage(t.message[:0], member.Room(), call.message, length)
	c.out = libproto.ChatSendRequest{RoomID: member.Room(), Message: t.message}.AppendTo(c.out)
}

func (c *Conn) draw32() uint32 { return uint32(c.dice.Uint64() >> 32) }

// drawBelow is even over 0 … n-1.
func (c *Conn) drawBelow(n uint32) uint32 { return uint32(uint64(c.draw32()) * uint64(n) >> 32) }

func (c *Conn) drawAmount() uint64 { return 1 + c.dice.Uint64()%c.thread.plan.AmountMax }

// drawPeer is any user but the connection's own: all alike, or by Plan.Skew, the first of them most often.
func (c *Conn) drawPeer() uint32 {
	plan := c.thread.plan
	own, users := uint32(plan.user(c.id)), uint32(len(plan.Users))
	if plan.Skew == nil {
		peer := c.drawBelow(users - 1)
		if peer >= own {
			peer++
		}
		return peer
	}
	peer := plan.Skew.Draw(c.dice.Uint64())
	if peer == own {
		peer = (peer + 1) % users
	}
	return peer
}

// answered takes an OK answer to a request of the load.
func (c *Conn) answered(done *call, body []byte) error {
	switch mix.Op(done.kind) {
	case mix.ChatSend:
		return c.messageAcked(done.message, body)
	case mix.Heartbeat:
		return c.heartbeatAnswered(done, body)
	case mix.Balance:
		return c.balanceAnswered(body)
	case mix.TransferBatch:
		return c.batchAnswered(done, body)
	default:
		return c.moneyMoved(done, body)
	}
}

func (c *Conn) messageAcked(id chatcheck.ID, body []byte) error {
	answer := &c.thread.bodies.chatSend
	if err := decode(answer, libproto.OpChatSend, body); err != nil {
		return err
	}
	if answer.RoomSeq == 0 {
		return errZeroSeq
	}
	if c.thread.phase <= Settle { // later, it comes too late to owe anybody a delivery
		c.sender.Acked(id, answer.RoomSeq)
	}
	return nil
}

func (c *Conn) heartbeatAnswered(done *call, body []byte) error {
	answer := &c.thread.bodies.heartbeat
	if err := decode(answer, libproto.OpHeartbeat, body); err != nil {
		return err
	}
	if answer.ClientTimeNs != uint64(done.sentNs) {
		return errEcho
	}
	return nil
}

func (c *Conn) balanceAnswered(body []byte) error {
	answer := &c.thread.bodies.balance
	if err := decode(answer, libproto.OpBalance, body); err != nil {
		return err
	}
	c.thread.book.Told(uint32(c.thread.plan.user(c.id)), answer.Balance)
	return nil
}

func (c *Conn) moneyMoved(done *call, body []byte) error {
	answer := &c.thread.bodies.txn
	if err := decode(answer, done.kind.opcode(), body); err != nil {
		return err
	}
	if answer.TxnID == 0 {
		return errZeroTxn
	}
	posting := c.posting(done)
	c.thread.book.Told(posting.User, answer.Balance)
	c.thread.book.Applied(posting)
	c.witness = max(c.witness, done.id)
	return nil
}

// refused takes any other answer to a request of the load.
func (c *Conn) refused(done *call, status libproto.Status, retryAfterMs uint32) {
	switch op := mix.Op(done.kind); {
	case outcomeUnknown(status) && op.MovesMoney():
		c.thread.book.Unknown(c.posting(done))
	case outcomeUnknown(status): // a message may exist or not
	case op == mix.ChatSend:
		c.sender.Refused(done.message)
	}
	if status == libproto.StatusServerBusy {
		c.pause(retryAfterMs)
	}
}

// outcomeUnknown reports whether a request that is answered so may have been carried out.
func outcomeUnknown(status libproto.Status) bool {
	return status == libproto.StatusTimeout || status == libproto.StatusReadOnly || status == libproto.StatusInternal
}

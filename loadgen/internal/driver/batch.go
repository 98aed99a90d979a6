package driver

import (
	"fmt"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/moneycheck"
)

// errLegs is the error of an answer that does not have a result for each leg.
var errLegs = fmt.Errorf("%w: TRANSFER_BATCH is answered with another number of legs", errViolation)

// legsOf is where a slot's legs are kept, between the request and its answer.
func (c *Conn) legsOf(slot int16) []moneycheck.Leg {
	n := c.thread.plan.Batch
	first := int(slot) * n
	for len(c.legs) < first+n {
		c.legs = append(c.legs, moneycheck.Leg{})
	}
	return c.legs[first : first+n : first+n]
}

func (c *Conn) writeBatch(call *call) {
	t := c.thread
	legs := c.legsOf(call.slot())
	for i := range legs {
		legs[i] = moneycheck.Leg{Peer: c.drawPeer(), Amount: c.drawAmount()}
		t.legs[i] = libproto.TransferLeg{ToUserID: t.plan.Users[legs[i].Peer].ID, Amount: legs[i].Amount}
	}
	c.out = libproto.TransferBatchRequest{Legs: t.legs}.AppendTo(c.out)
}

// batchAnswered books the legs that were applied. The answer is OK even if none was.
func (c *Conn) batchAnswered(done *call, body []byte) error {
	answer := &c.thread.bodies.batch
	if err := decode(answer, libproto.OpTransferBatch, body); err != nil {
		return err
	}
	legs := c.legsOf(done.slot())
	if len(answer.Results) != len(legs) {
		return errLegs
	}
	user, applied := uint32(c.thread.plan.user(c.id)), uint64(0)
	for i := range answer.Results {
		switch r := &answer.Results[i]; {
		case r.Status >= libproto.StatusCount:
			return fmt.Errorf("%w: a leg is answered with %v", errViolation, r.Status)
		case r.Status != libproto.StatusOK:
		case r.TxnID == 0:
			return errZeroTxn
		default:
			c.thread.book.AppliedLeg(user, legs[i])
			applied++
		}
	}
	c.thread.book.Told(user, answer.Balance)
	if done.dueNs >= c.thread.countFrom {
		c.thread.stats.LegsOK += applied
		c.thread.stats.LegsRefused += uint64(len(legs)) - applied
	}
	if applied > 0 {
		c.witness = max(c.witness, done.id)
	}
	return nil
}

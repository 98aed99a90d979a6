package driver

import (
	"errors"

	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/moneycheck"
)

// doubt is a money request whose connection the server closed before it answered.
//
// A server tells what became of it, or that its log does not reach back to the session's start: it found nothing, and
// cannot swear to it. Then an older request of the session is the witness, one that was answered: the requests of a
// session are carried out in order, and none was sent twice, so if the log reaches back to the witness and does not
// hold the request, it was not applied.
type doubt struct {
	posting moneycheck.Posting
	witness uint64 // req_id; 0: there is none
	settled bool
}

// closedByServer reports whether it was the server that ended the connection: then it carries out nothing more that was
// sent on it.
func closedByServer(why error) bool {
	return errors.Is(why, errClosed) || errors.Is(why, unix.ECONNRESET) || errors.Is(why, unix.EPIPE)
}

// doubt keeps a posting to ask for when the connection is back, or leaves it to the audit.
func (c *Conn) doubt(p moneycheck.Posting, closedByServer bool) {
	if !closedByServer || len(c.doubts) == doubtsMax {
		c.thread.book.Unknown(p)
		return
	}
	d := doubt{posting: p}
	if c.witness < p.ReqID {
		d.witness = c.witness
	}
	c.doubts = append(c.doubts, d)
}

// askDoubts asks for all doubts at once: the server does not remember for long.
func (c *Conn) askDoubts() {
	open := c.doubts[:0]
	for _, d := range c.doubts {
		if !d.settled {
			open = append(open, d)
		}
	}
	c.doubts = open
	for i := range c.doubts {
		p := &c.doubts[i].posting
		c.request(txnStatus, i, libproto.TxnStatusRequest{SessionID: p.Session, ReqID: p.ReqID})
	}
}

func (c *Conn) doubtAnswered(index int16, body []byte) error {
	var answer libproto.TxnStatusResponse
	if err := decode(&answer, libproto.OpTxnStatus, body); err != nil {
		return err
	}
	d := &c.doubts[index]
	switch {
	case answer.Outcome == libproto.TxnApplied:
		c.thread.book.Told(d.posting.User, answer.BalanceAfter)
		c.settleDoubt(d, moneycheck.Applied)
	case answer.Outcome == libproto.TxnNotApplied:
		c.settleDoubt(d, moneycheck.NotApplied)
	case answer.Outcome == libproto.TxnPending: // the server has not let go of the session yet: the audit asks again
		d.settled = true
		c.thread.book.Unknown(d.posting)
	case d.witness != 0:
		c.request(txnWitness, int(index), libproto.TxnStatusRequest{SessionID: d.posting.Session, ReqID: d.witness})
	default:
		c.settleDoubt(d, moneycheck.Undecided)
	}
	return nil
}

// witnessAnswered comes after the server found nothing of the request itself.
func (c *Conn) witnessAnswered(index int16, body []byte) error {
	var answer libproto.TxnStatusResponse
	if err := decode(&answer, libproto.OpTxnStatus, body); err != nil {
		return err
	}
	outcome := moneycheck.Undecided
	if answer.Outcome == libproto.TxnApplied {
		outcome = moneycheck.NotApplied
	}
	c.settleDoubt(&c.doubts[index], outcome)
	return nil
}

func (c *Conn) settleDoubt(d *doubt, outcome moneycheck.Outcome) {
	d.settled = true
	c.thread.book.Settle(d.posting, outcome)
}

// leaveDoubts leaves to the audit what is in doubt still.
func (c *Conn) leaveDoubts() {
	for i := range c.doubts {
		if !c.doubts[i].settled {
			c.thread.book.Unknown(c.doubts[i].posting)
		}
	}
	c.doubts = nil
}

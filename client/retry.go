package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
)

// Money requests are made once, however often they are sent: the server knows them by session and req_id. One that was
// sent and lost its answer is an orphan. It is sent again, under the same req_id, on the connection that resumes the session, and
// its caller goes on waiting. If the session is gone nothing of it can take effect any more: then TXN_STATUS tells what
// became of the request, and what was not applied is made anew in the new session.

// retries reports whether a request may be sent again under its own req_id.
func retries(op libproto.Opcode) bool {
	switch op {
	case libproto.OpDeposit, libproto.OpWithdraw, libproto.OpTransfer, libproto.OpTransferBatch:
		return true
	}
	return false
}

// takeIn keeps the orphans of a link that has ended.
func (c *Client) takeIn(orphans []*call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.orphans = append(c.orphans, orphans...)
	slices.SortFunc(c.orphans, func(a, b *call) int { return cmp.Compare(a.reqID, b.reqID) })
}

// takeOut gives the orphans to somebody who will deal with them, and returns those whose callers still wait.
func (c *Client) takeOut() []*call {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := slices.DeleteFunc(c.orphans, func(o *call) bool { return o.gone.Load() })
	c.orphans = nil
	return waiting
}

// giveUp ends all orphans: nobody will find out what became of them.
func (c *Client) giveUp(l *link, cause error) {
	for _, o := range c.takeOut() {
		l.end(o, answer{err: l.unanswered(o, cause)})
	}
}

// resend puts orphans first on a link that has resumed their session.
func (l *link) resend(orphans []*call) error {
	for i, o := range orphans {
		if err := l.enqueue(o, o.req); err != nil {
			l.strand(orphans[i:])
			return err
		}
	}
	return nil
}

// strand hands calls that never got onto this link on as orphans.
func (l *link) strand(calls []*call) { l.onOrphans(calls) }

// settle finds out what became of orphans whose session is gone; l has a new one. What was not applied is sent as a new
// request.
func (c *Client) settle(ctx context.Context, l *link, orphans []*call) error {
	for i, o := range orphans {
		as := o.sent.Load()
		a, again, err := l.fate(ctx, o.op, as.sessionID, as.reqID)
		if err == nil && again {
			err = l.makeAnew(o)
		} else if err == nil {
			l.end(o, a)
		}
		if err != nil {
			l.strand(orphans[i:])
			return err
		}
	}
	return nil
}

// makeAnew sends an orphan under a new name, unless its caller has left: that one was told the old name, under which it was
// not applied and must not be any more.
func (l *link) makeAnew(o *call) error {
	o.naming.Lock()
	defer o.naming.Unlock()
	if o.gone.Load() {
		return nil
	}
	o.reqID, o.retried = 0, false
	return l.enqueue(o, o.req)
}

// fate asks what became of a request of a session that is gone. again: it was not applied, and will not be.
func (l *link) fate(ctx context.Context, op libproto.Opcode, sessionID, reqID uint64) (a answer, again bool, err error) {
	r, err := l.askFate(ctx, sessionID, reqID)
	if err != nil {
		return a, false, err
	}
	unknown := func(format string, args ...any) answer {
		return answer{from: l, err: &OutcomeError{Op: op, SessionID: sessionID, ReqID: reqID, Cause: fmt.Errorf(format, args...)}}
	}
	switch {
	case r.Outcome == libproto.TxnNotApplied:
		return a, true, nil
	case r.Outcome == libproto.TxnPending:
		return unknown("another connection has the session, and may still bring the request: %w", ErrServerBusy), false, nil
	case r.Outcome != libproto.TxnApplied:
		return unknown("the session is gone, and the server's log does not reach back to the request: %w", ErrExpired), false, nil
	case op == libproto.OpTransferBatch:
		return unknown("the session is gone; at least transaction %d of the batch was made: %w", r.TxnID, ErrExpired), false, nil
	}
	body := libproto.TxnResponse{Balance: r.BalanceAfter, TxnID: r.TxnID}.AppendTo(nil)
	return answer{from: l, status: libproto.StatusOK, body: body}, false, nil
}

// askFate asks until no other connection can bring the request any more, fateAsksMax times at most.
func (l *link) askFate(ctx context.Context, sessionID, reqID uint64) (r libproto.TxnStatusResponse, err error) {
	var pause libnet.Backoff
	for range fateAsksMax {
		r, err = ask[libproto.TxnStatusResponse](ctx, l, libproto.OpTxnStatus, libproto.TxnStatusRequest{SessionID: sessionID, ReqID: reqID})
		if err != nil || r.Outcome != libproto.TxnPending {
			return r, err
		}
		if err := pause.Wait(ctx); err != nil {
			return r, err
		}
	}
	return r, nil
}

// undecided is what the server says of a request that it can be asked again about: applied or not, it could not say.
func undecided(op libproto.Opcode, err error) (open *OutcomeError, wait time.Duration, is bool) {
	var refusal *StatusError
	if !retries(op) || !errors.As(err, &open) || !errors.As(open.Cause, &refusal) {
		return nil, 0, false
	}
	return open, refusal.RetryAfter, refusal.Status == libproto.StatusTimeout || refusal.Status == libproto.StatusServerBusy
}

// again makes a request once more that the server could not decide.
func (c *Client) again(ctx context.Context, r request, open *OutcomeError) error {
	l, err := c.ready(ctx, r.op)
	if err != nil {
		return open
	}
	if l.sessionID.Load() == open.SessionID {
		r.reqID = open.ReqID
		return l.make(ctx, r)
	}
	a, anew, err := l.fate(ctx, r.op, open.SessionID, open.ReqID)
	switch {
	case err != nil:
		return open
	case anew:
		return l.make(ctx, r)
	}
	return l.finish(&call{op: r.op}, a, r.resp)
}

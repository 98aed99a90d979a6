package shmstore

import (
	"fmt"

	"tradechat.internal/ledger"
)

// Leg is one transfer of a batch.
type Leg struct {
	To     uint32
	Amount uint64
}

// LegResult is what became of a leg: a seq, or an error of Transfer's.
type LegResult struct {
	Err error
	Seq uint64
}

// batch is a TransferBatch under way.
type batch struct {
	session Session
	reqID   uint64
	legs    []Leg
	out     []LegResult
	head    uint64 // the log's when it was first asked for
	late    bool   // it was asked for before
	result  Posting

	fingerprint ledger.Fingerprint
}

// TransferBatch runs the legs in order, each a transaction of its own: a leg that
// fails stops no other. out must be as long as legs; out[i] is leg i's result. The
// posting is that of the newest leg that is in the log, or the account's newest if
// none is; Replayed says that some legs had been applied before. Errors of the batch
// as a whole, which has then changed nothing: ErrLegs, ErrFenced, ErrBusy,
// ErrRetryMismatch, ErrRetryExpired.
func (st *Store) TransferBatch(s Session, reqID uint64, legs []Leg, out []LegResult) (Posting, error) {
	if len(legs) == 0 || len(legs) > LegsMax || len(out) != len(legs) {
		return Posting{}, fmt.Errorf("%w, got %d", ErrLegs, len(legs))
	}
	b := batch{session: s, reqID: reqID, legs: legs, out: out, fingerprint: ledger.BeginFingerprint(ledger.KindTransfer, uint32(len(legs)))}
	for i := range legs {
		b.fingerprint = b.fingerprint.With(legs[i].To, legs[i].Amount)
	}
	clear(out)
	if err := st.beginBatch(&b); err != nil {
		return Posting{}, err
	}
	for i := range legs {
		if out[i].Seq != 0 {
			continue
		}
		posting, err := st.executeLeg(b.order(i))
		if err != nil {
			out[i].Err = err
			b.result.Basis = max(b.result.Basis, posting.Basis)
			continue
		}
		out[i].Seq = posting.Seq
		b.result.Seq, b.result.Balance = posting.Seq, posting.Balance
	}
	if b.result.Replayed {
		st.metrics.Add(CounterReplays, 1)
	}
	return b.result, nil
}

// order is leg i as an order.
func (b *batch) order(i int) *order {
	return &order{
		kind: ledger.KindTransfer, late: b.late, leg: uint16(i), legs: uint32(len(b.legs)), batchHead: b.head,
		user: b.session.User, peer: b.legs[i].To, amount: b.legs[i].Amount, reqID: b.reqID, session: b.session,
		fingerprint: b.fingerprint,
	}
}

// beginBatch finds out which legs the log holds already. It is asked once: from the
// first leg that is applied on, the session's last req_id is the batch's own.
func (st *Store) beginBatch(b *batch) (err error) {
	user := b.session.User
	if err := st.lockAccounts(user, 0); err != nil {
		return err
	}
	account := &st.seg.accounts[user]
	b.result = Posting{Seq: account.lastSeq, Balance: account.balance}
	b.head = st.seg.Head()
	err = b.beginLocked(st)
	st.unlockAccounts(user, 0)
	return err
}

// beginLocked notes what the batch asks for before any leg is run: a retry of it is held against that, though all were refused.
func (b *batch) beginLocked(st *Store) error {
	if !st.sessionCurrent(b.session) {
		return ErrFenced
	}
	row := &st.seg.sessions[b.session.Row]
	if row.refusedOther(b.reqID, b.fingerprint) {
		return ErrRetryMismatch
	}
	if b.reqID <= row.lastReqID {
		b.late = true
		if err := b.replay(st); err != nil {
			return err
		}
	}
	row.noteRefused(b.reqID, b.fingerprint)
	return nil
}

// executeLeg is execute for a leg that is known not to be in the log.
func (st *Store) executeLeg(o *order) (posting Posting, err error) {
	if err := st.checkOrder(o); err != nil {
		return Posting{}, err
	}
	if err := st.lockAccounts(o.user, o.peer); err != nil {
		return Posting{}, err
	}
	if st.sessionCurrent(o.session) {
		posting, err = st.post(o)
	} else {
		err = ErrFenced
	}
	st.unlockAccounts(o.user, o.peer)
	return posting, err
}

package shmstore

import "fmt"

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

// TransferBatch runs the legs in order, each a transaction of its own: a leg that
// fails stops no other. out must be as long as legs; out[i] is leg i's result. balance
// is the user's afterwards; replayed says that some legs had been applied before and
// were answered from the log. Errors of the batch as a whole, which has then changed
// nothing: ErrLegs, ErrFenced, ErrBusy, ErrRetryMismatch, ErrRetryExpired.
func (st *Store) TransferBatch(s Session, reqID uint64, legs []Leg, out []LegResult) (balance int64, replayed bool, err error) {
	if len(legs) == 0 || len(legs) > LegsMax || len(out) != len(legs) {
		return 0, false, fmt.Errorf("%w, got %d", ErrLegs, len(legs))
	}
	if balance, err = st.beginBatch(s, reqID, legs, out); err != nil {
		return 0, false, err
	}
	for i := range legs {
		if out[i].Seq != 0 {
			replayed = true
			continue
		}
		posting, err := st.executeLeg(batchOrder(s, reqID, legs, i))
		out[i] = LegResult{Err: err, Seq: posting.Seq}
		if err == nil {
			balance = posting.Balance
		}
	}
	if replayed {
		st.metrics.Add(CounterReplays, 1)
	}
	return balance, replayed, nil
}

// batchOrder is leg i as an order.
func batchOrder(s Session, reqID uint64, legs []Leg, i int) *order {
	return &order{
		kind: kindTransfer, leg: uint16(i), legs: uint32(len(legs)),
		user: s.User, peer: legs[i].To, amount: legs[i].Amount, reqID: reqID, session: s,
	}
}

// beginBatch finds out which legs the log holds already. It is asked once: from the
// first leg that is applied on, the session's last req_id is the batch's own.
func (st *Store) beginBatch(s Session, reqID uint64, legs []Leg, out []LegResult) (balance int64, err error) {
	if err := st.lockAccounts(s.User, 0); err != nil {
		return 0, err
	}
	balance = st.seg.accounts[s.User].balance
	switch {
	case !st.sessionCurrent(s):
		err = ErrFenced
	case reqID <= st.seg.sessions[s.Row].lastReqID:
		err = st.replayBatch(s, reqID, legs, out)
	default:
		clear(out)
	}
	st.unlockAccounts(s.User, 0)
	return balance, err
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

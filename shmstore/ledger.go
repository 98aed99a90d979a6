package shmstore

import (
	"errors"
	"fmt"
	"math"

	"tradechat.internal/ledger"
)

// Posting is the result of a deposit, withdrawal or transfer.
type Posting struct {
	Seq      uint64 // the transaction's number
	Balance  int64  // of the user that asked, right after it
	Replayed bool   // the request had been applied before; this is its recorded result

	// Basis is the newest record that a refusal tells of, such as the withdrawal that left too little; 0: it tells of none.
	// Until that is durable a crash could take the reason back. It is set beside an error too.
	Basis uint64
}

// order is a request to move money. peer is 0 for deposits and withdrawals. A single
// request has one leg, and its batchHead is 0.
type order struct {
	kind      ledger.Kind
	admin     bool // no session asks for it
	late      bool // its req_id is not above the session's last
	leg       uint16
	legs      uint32
	user      uint32
	peer      uint32
	amount    uint64
	reqID     uint64
	batchHead uint64
	session   Session
}

// Deposit adds amount to the session's user. Errors: ErrInvalidAmount,
// ErrBalanceLimit, ErrFenced, ErrBusy; for a req_id that is not new ErrRetryMismatch
// and ErrRetryExpired. After an error nothing has changed.
func (st *Store) Deposit(s Session, reqID, amount uint64) (Posting, error) {
	return st.execute(&order{kind: ledger.KindDeposit, legs: 1, user: s.User, amount: amount, reqID: reqID, session: s})
}

// Withdraw takes amount from the session's user. Errors: those of Deposit, and
// ErrInsufficientFunds.
func (st *Store) Withdraw(s Session, reqID, amount uint64) (Posting, error) {
	return st.execute(&order{kind: ledger.KindWithdraw, legs: 1, user: s.User, amount: amount, reqID: reqID, session: s})
}

// Transfer moves amount from the session's user to another. Errors: those of
// Withdraw, ErrSelfTransfer and ErrNoUser.
func (st *Store) Transfer(s Session, reqID uint64, to uint32, amount uint64) (Posting, error) {
	return st.execute(&order{kind: ledger.KindTransfer, legs: 1, user: s.User, peer: to, amount: amount, reqID: reqID, session: s})
}

// DepositTo adds amount to a user without a session, as an admin does.
func (st *Store) DepositTo(user uint32, amount uint64) (Posting, error) {
	if !st.seg.userExists(user) {
		return Posting{}, fmt.Errorf("user %d: %w", user, ErrNoUser)
	}
	return st.execute(&order{kind: ledger.KindDeposit, admin: true, legs: 1, user: user, amount: amount})
}

func (o *order) flags() ledger.Flags {
	if o.late {
		return ledger.FlagLate
	}
	return 0
}

func (st *Store) execute(o *order) (Posting, error) {
	if err := st.checkOrder(o); err != nil {
		return Posting{}, err
	}
	if err := st.lockAccounts(o.user, o.peer); err != nil {
		return Posting{}, err
	}
	posting, err := st.executeLocked(o)
	st.unlockAccounts(o.user, o.peer)
	return posting, err
}

// checkOrder is what can be said without a lock.
func (st *Store) checkOrder(o *order) error {
	if o.amount == 0 || o.amount > AmountMax {
		return ErrInvalidAmount
	}
	if o.kind != ledger.KindTransfer {
		return nil
	}
	if o.peer == o.user {
		return ErrSelfTransfer
	}
	if !st.seg.userExists(o.peer) {
		return ErrNoUser
	}
	return nil
}

func (st *Store) executeLocked(o *order) (Posting, error) {
	if o.admin {
		return st.post(o)
	}
	if !st.sessionCurrent(o.session) {
		return Posting{}, ErrFenced
	}
	if o.reqID <= st.seg.sessions[o.session.Row].lastReqID {
		if posting, done, err := st.replay(o); done {
			return posting, err
		}
		o.late = true
	}
	return st.post(o)
}

// effect is what an order does to the rows and the supply.
type effect struct {
	subjectBalance int64 // after
	peerBalance    int64 // after
	subjectTotal   uint64
	peerPrev       uint64
	deposited      uint64
	withdrawn      uint64
}

// decide holds the order against the balances. The caller holds the accounts' locks.
func (seg *Segment) decide(o *order) (e effect, err error) {
	account := &seg.accounts[o.user]
	if o.kind == ledger.KindDeposit {
		if o.amount > AmountMax-uint64(account.balance) || o.amount > math.MaxUint64-account.deposited {
			return e, ErrBalanceLimit
		}
		e.subjectBalance = account.balance + int64(o.amount)
		e.subjectTotal = account.deposited + o.amount
		e.deposited = o.amount
		return e, nil
	}
	if o.amount > uint64(account.balance) {
		return e, ErrInsufficientFunds
	}
	e.subjectBalance = account.balance - int64(o.amount)
	if o.kind == ledger.KindWithdraw {
		if o.amount > math.MaxUint64-account.withdrawn {
			return e, ErrBalanceLimit
		}
		e.subjectTotal = account.withdrawn + o.amount
		e.withdrawn = o.amount
		return e, nil
	}
	peer := &seg.accounts[o.peer]
	if o.amount > AmountMax-uint64(peer.balance) {
		return e, ErrBalanceLimit
	}
	e.peerBalance = peer.balance + int64(o.amount)
	e.peerPrev = peer.lastSeq
	return e, nil
}

// basis is the newest record that a refusal of the order tells of. The caller holds the accounts' locks.
func (seg *Segment) basis(o *order) uint64 {
	seq := seg.accounts[o.user].lastSeq
	if o.kind == ledger.KindTransfer {
		seq = max(seq, seg.accounts[o.peer].lastSeq)
	}
	return seq
}

// post decides the order and commits it. A refusal that is because of balances has their
// newest record as its Basis. The record is written in place: a copy of 128 bytes would
// cost a fifth of the whole.
func (st *Store) post(o *order) (Posting, error) {
	e, err := st.seg.decide(o)
	if err != nil {
		return Posting{Basis: st.seg.basis(o)}, err
	}
	rec, err := st.openRecord(e.deposited, e.withdrawn)
	if errors.Is(err, errSupplyLimit) {
		return Posting{Basis: st.seg.Head()}, err
	}
	if err != nil {
		return Posting{}, err
	}
	rec.Kind, rec.Leg, rec.Legs = o.kind, o.leg, o.legs
	rec.Subject, rec.Peer, rec.Amount = o.user, o.peer, o.amount
	rec.SubjectBalance, rec.PeerBalance = e.subjectBalance, e.peerBalance
	rec.SubjectPrev, rec.PeerPrev = st.seg.accounts[o.user].lastSeq, e.peerPrev
	rec.SubjectTotal = e.subjectTotal
	rec.SessionID, rec.SessionRow, rec.ReqID = o.session.ID, o.session.Row, o.reqID
	rec.BatchHead, rec.Flags, rec.Reserved = o.batchHead, o.flags(), 0
	st.commit(rec)
	return Posting{Seq: rec.Seq, Balance: e.subjectBalance}, nil
}

// applyPosting sets the account rows and the session's last req_id. lastSeq is stored
// after the rest of a row, so that a row which was cut short is set again.
func (seg *Segment) applyPosting(rec *ledger.Record) {
	if a := &seg.accounts[rec.Subject]; a.lastSeq < rec.Seq {
		a.balance = rec.SubjectBalance
		switch rec.Kind {
		case ledger.KindDeposit:
			a.deposited = rec.SubjectTotal
		case ledger.KindWithdraw:
			a.withdrawn = rec.SubjectTotal
		}
		a.lastSeq = rec.Seq
	}
	if rec.Kind == ledger.KindTransfer {
		if a := &seg.accounts[rec.Peer]; a.lastSeq < rec.Seq {
			a.balance = rec.PeerBalance
			a.lastSeq = rec.Seq
		}
	}
	if rec.SessionID == 0 {
		return
	}
	if s := &seg.sessions[rec.SessionRow]; s.id.Load() == rec.SessionID && s.lastReqID < rec.ReqID {
		s.lastReqID = rec.ReqID
	}
}

// Balance is a user's balance and the seq of the record that made it. Errors:
// ErrNoUser, ErrBusy.
func (st *Store) Balance(user uint32) (balance int64, lastSeq uint64, err error) {
	if !st.seg.userExists(user) {
		return 0, 0, ErrNoUser
	}
	if err := st.lockAccounts(user, 0); err != nil {
		return 0, 0, err
	}
	a := &st.seg.accounts[user]
	balance, lastSeq = a.balance, a.lastSeq
	st.unlockAccounts(user, 0)
	return balance, lastSeq, nil
}

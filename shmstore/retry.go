package shmstore

import "tradechat.internal/ledger"

// A request whose req_id is not above its session's last one is a retry. The log
// says what became of the original: the user's chain, walked back to the head at
// which the session began, names every (session, req_id, leg) that was applied. For a
// batch the head at which it was first asked for is enough; every leg carries it.

// Outcome is what the log knows of a request.
type Outcome uint8

const (
	OutcomeNotApplied Outcome = iota
	OutcomeApplied
	OutcomeUnknown // the log no longer reaches back far enough
	OutcomePending // not applied so far; the session has a connection, on which it may still come
)

// ownPostings visits, newest first from record seq on, user's own postings of
// (sessionID, reqID), until visit returns false. complete tells that there can be no
// others: the walk was ended by visit, by the session's start, by the batch's, or by an
// earlier request of the session, and not by the end of the ring or after chainStepsMax records.
func (st *Store) ownPostings(seq uint64, user uint32, sessionID, reqID uint64, visit func(*ledger.Record) bool) (complete bool) {
	start := st.seg.sessionStart(sessionID)
	return st.walkOwn(seq, user, &start, func(rec *ledger.Record) bool {
		switch {
		case rec.SessionID != sessionID || rec.ReqID > reqID:
			return true
		case rec.ReqID < reqID:
			// In time, it had a higher req_id than all before it. A late one says nothing.
			return rec.Flags&ledger.FlagLate != 0
		case !visit(rec):
			return false
		}
		start = max(start, rec.BatchHead)
		return true
	})
}

// walkOwn visits, newest first from record seq on down to start, the postings whose subject is user, until visit returns
// false. complete is false if the ring does not reach back so far.
func (st *Store) walkOwn(seq uint64, user uint32, start *uint64, visit func(*ledger.Record) bool) (complete bool) {
	rec := &st.walked
	for steps := 0; seq > *start; steps++ {
		if steps == chainStepsMax || !st.seg.loadRecord(seq, rec) {
			return false
		}
		if rec.Subject == user && rec.IsPosting() && !visit(rec) {
			return true
		}
		seq = rec.PrevOf(user)
	}
	return true
}

// lastReqIDInLog is the highest req_id that a session of user had applied; 0: none. known is false if the ring does not
// tell. The caller holds the user's account lock.
func (st *Store) lastReqIDInLog(user uint32, sessionID uint64) (last uint64, known bool) {
	start := st.seg.sessionStart(sessionID)
	known = st.walkOwn(st.seg.accounts[user].lastSeq, user, &start, func(rec *ledger.Record) bool {
		if rec.SessionID != sessionID {
			return true
		}
		last = max(last, rec.ReqID)
		return rec.Flags&ledger.FlagLate != 0
	})
	return last, known
}

// replay answers the retry of a single request from the log. done is false if the
// log shows that it was never applied: then it is to be executed now. The caller
// holds the user's account lock.
func (st *Store) replay(o *order) (posting Posting, done bool, err error) {
	last := st.seg.accounts[o.user].lastSeq
	complete := st.ownPostings(last, o.user, o.session.ID, o.reqID, func(rec *ledger.Record) bool {
		done = true
		if o.answeredBy(rec) {
			posting = replayed(rec)
			st.metrics.Add(CounterReplays, 1)
		} else {
			err = ErrRetryMismatch
		}
		return false
	})
	if !complete {
		return Posting{}, true, ErrRetryExpired
	}
	return posting, done, err
}

// answeredBy tells whether r is what o would have written.
func (o *order) answeredBy(r *ledger.Record) bool {
	return (r.Fingerprint == o.fingerprint || r.Fingerprint == 0) && r.Kind == o.kind && r.Leg == o.leg && r.Legs == o.legs && r.Peer == o.peer && r.Amount == o.amount
}

// refusedOther tells whether the session's newest request that was refused had this req_id, and other contents. The caller
// holds the user's account lock.
func (row *sessionRow) refusedOther(reqID uint64, fingerprint ledger.Fingerprint) bool {
	return row.refusedReqID == reqID && row.refusedPrint != fingerprint && row.refusedPrint != 0
}

// noteRefused remembers what was refused. Nothing of it is in the log, which tells the same of requests that were applied. Cut
// short between the stores it knows of none.
func (row *sessionRow) noteRefused(reqID uint64, fingerprint ledger.Fingerprint) {
	row.refusedPrint = 0
	row.refusedReqID = reqID
	row.refusedPrint = fingerprint
}

// replayed is the recorded result of r for its subject.
func replayed(r *ledger.Record) Posting {
	return Posting{Seq: r.Seq, Balance: r.SubjectBalance, Replayed: true}
}

// replay fills in the results of those legs that had been applied, and leaves Seq 0 in
// the others, which are to be executed now. The caller holds the account's lock.
func (b *batch) replay(st *Store) error {
	mismatch := false
	last := st.seg.accounts[b.session.User].lastSeq
	complete := st.ownPostings(last, b.session.User, b.session.ID, b.reqID, func(rec *ledger.Record) bool {
		i := int(rec.Leg)
		if i >= len(b.legs) || !b.order(i).answeredBy(rec) {
			mismatch = true
			return false
		}
		b.out[i].Seq = rec.Seq
		b.head = rec.BatchHead
		if !b.result.Replayed {
			b.result = replayed(rec) // the newest leg's
		}
		return true
	})
	switch {
	case mismatch:
		return ErrRetryMismatch
	case !complete:
		return ErrRetryExpired
	}
	return nil
}

// TxnStatus tells what became of a request of the user's, in this or an earlier
// session; for a batch, of the first of its legs that were applied. OutcomeNotApplied is final: a session without a
// connection has ended when it is given, and a request that arrives later is refused. Errors: ErrNoUser, ErrBusy.
func (st *Store) TxnStatus(user uint32, sessionID, reqID uint64) (Outcome, Posting, error) {
	if !st.seg.userExists(user) {
		return OutcomeUnknown, Posting{}, ErrNoUser
	}
	if sessionEpoch(sessionID) > st.seg.control.sessionEpoch || st.seg.sessionStart(sessionID) > st.seg.Head() {
		return OutcomeUnknown, Posting{}, nil
	}
	last, open, err := st.settleSession(user, sessionID)
	if err != nil {
		return OutcomeUnknown, Posting{}, err
	}
	outcome, posting := OutcomeNotApplied, Posting{}
	complete := st.ownPostings(last, user, sessionID, reqID, func(rec *ledger.Record) bool {
		outcome, posting = OutcomeApplied, Posting{Seq: rec.Seq, Balance: rec.SubjectBalance}
		return rec.Legs > 1
	})
	switch {
	case !complete:
		return OutcomeUnknown, Posting{}, nil
	case outcome == OutcomeNotApplied && open:
		return OutcomePending, Posting{}, nil
	}
	return outcome, posting, nil
}

// settleSession ends a user's session that has no connection, and is the newest record that the session can have posted. open
// tells that the session lives on: it can post more. A session of an earlier segment is not made anew any more
// (recreateSession).
func (st *Store) settleSession(user uint32, id uint64) (last uint64, open bool, err error) {
	if r, found := st.seg.findSession(user, id); found && st.beginWay(r, sessionDetachedWord, sessionEnding) {
		st.goOn(r)
	}
	if err := st.lockAccounts(user, 0); err != nil {
		return 0, false, err
	}
	account := &st.seg.accounts[user]
	r, open := st.seg.findSession(user, id)
	switch {
	case open:
		open = stateOf(st.seg.sessions[r].owner.Load()) != sessionEnding
	case sessionEpoch(id) < st.seg.control.sessionEpoch:
		account.settled = 1
	}
	last = account.lastSeq
	st.unlockAccounts(user, 0)
	return last, open, nil
}

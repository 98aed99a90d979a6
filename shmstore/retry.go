package shmstore

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
)

// ownPostings visits, newest first from record seq on, user's own postings of
// (sessionID, reqID), until visit returns false. complete tells that there can be no
// others: the walk was ended by visit, by the session's start or by the batch's, and
// not by the end of the ring or after chainStepsMax records.
func (st *Store) ownPostings(seq uint64, user uint32, sessionID, reqID uint64, visit func(*record) bool) (complete bool) {
	rec := &st.walked
	start := sessionStart(sessionID)
	for steps := 0; seq > start; steps++ {
		if steps == chainStepsMax || !st.seg.loadRecord(seq, rec) {
			return false
		}
		if rec.subject == user && rec.sessionID == sessionID && rec.reqID == reqID {
			if !visit(rec) {
				return true
			}
			start = max(start, rec.batchHead)
		}
		seq = rec.prevOf(user)
	}
	return true
}

// replay answers the retry of a single request from the log. done is false if the
// log shows that it was never applied: then it is to be executed now. The caller
// holds the user's account lock.
func (st *Store) replay(o *order) (posting Posting, done bool, err error) {
	last := st.seg.accounts[o.user].lastSeq
	complete := st.ownPostings(last, o.user, o.session.ID, o.reqID, func(rec *record) bool {
		done = true
		if rec.answers(o) {
			posting = rec.replayed()
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

// answers tells whether r is what o would have written.
func (r *record) answers(o *order) bool {
	return r.kind == o.kind && r.leg == o.leg && r.legs == o.legs && r.peer == o.peer && r.amount == o.amount
}

// replayed is the recorded result of r for its subject.
func (r *record) replayed() Posting {
	return Posting{Seq: r.seq, Balance: r.subjectBalance, Replayed: true}
}

// replay fills in the results of those legs that had been applied, and leaves Seq 0 in
// the others, which are to be executed now. The caller holds the account's lock.
func (b *batch) replay(st *Store) error {
	mismatch := false
	last := st.seg.accounts[b.session.User].lastSeq
	complete := st.ownPostings(last, b.session.User, b.session.ID, b.reqID, func(rec *record) bool {
		i := int(rec.leg)
		if i >= len(b.legs) || !rec.answers(b.order(i)) {
			mismatch = true
			return false
		}
		b.out[i].Seq = rec.seq
		b.head = rec.batchHead
		if !b.result.Replayed {
			b.result = rec.replayed() // the newest leg's
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
// session; for a batch, of the first of its legs that were applied. Errors: ErrNoUser,
// ErrBusy.
func (st *Store) TxnStatus(user uint32, sessionID, reqID uint64) (Outcome, Posting, error) {
	if sessionStart(sessionID) > st.seg.Head() {
		return OutcomeUnknown, Posting{}, nil
	}
	_, last, err := st.Balance(user)
	if err != nil {
		return OutcomeUnknown, Posting{}, err
	}
	outcome, posting := OutcomeNotApplied, Posting{}
	complete := st.ownPostings(last, user, sessionID, reqID, func(rec *record) bool {
		outcome, posting = OutcomeApplied, Posting{Seq: rec.seq, Balance: rec.subjectBalance}
		return rec.legs > 1
	})
	if !complete {
		return OutcomeUnknown, Posting{}, nil
	}
	return outcome, posting, nil
}

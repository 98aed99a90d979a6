package shmstore

// A request whose req_id is not above its session's last one is a retry. The log
// says what became of the original: the user's chain, walked back to the head at
// which the session began, names every (session, req_id, leg) that was applied.

// Outcome is what the log knows of a request.
type Outcome uint8

const (
	OutcomeNotApplied Outcome = iota
	OutcomeApplied
	OutcomeUnknown // the log no longer reaches back to the session's start
)

// ownPostings visits, newest first from record seq on, user's own postings of
// (sessionID, reqID), until visit returns false. complete tells that the walk was
// ended by visit or by the session's start, and not by the end of the ring.
func (st *Store) ownPostings(seq uint64, user uint32, sessionID, reqID uint64, visit func(*record) bool) (complete bool) {
	rec := &st.walked
	for start := sessionStart(sessionID); seq > start; seq = rec.prevOf(user) {
		if !st.seg.loadRecord(seq, rec) {
			return false
		}
		own := rec.subject == user && rec.sessionID == sessionID && rec.reqID == reqID
		if own && !visit(rec) {
			return true
		}
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
			posting = Posting{Seq: rec.seq, Balance: rec.subjectBalance, Replayed: true}
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

// replayBatch fills in the results of those legs that had been applied, and leaves
// Seq 0 in the others, which are to be executed now. The caller holds the account lock.
func (st *Store) replayBatch(s Session, reqID uint64, legs []Leg, out []LegResult) error {
	clear(out)
	mismatch := false
	last := st.seg.accounts[s.User].lastSeq
	complete := st.ownPostings(last, s.User, s.ID, reqID, func(rec *record) bool {
		i := int(rec.leg)
		if i >= len(legs) || !rec.answers(batchOrder(s, reqID, legs, i)) {
			mismatch = true
			return false
		}
		out[i].Seq = rec.seq
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
// session; for a batch, of its first leg that was applied. Errors: ErrNoUser, ErrBusy.
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
	if !complete && outcome == OutcomeNotApplied {
		outcome = OutcomeUnknown
	}
	return outcome, posting, nil
}

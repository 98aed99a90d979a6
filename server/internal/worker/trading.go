package worker

import (
	"errors"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/wirestatus"
	"tradechat.internal/shmstore"
)

func (w *Worker) deposit(r *request, q *libproto.DepositRequest) {
	posting, err := w.store.Deposit(r.c.session, r.frame.ReqID, q.Amount)
	w.posted(r, posting, err)
}

func (w *Worker) withdraw(r *request, q *libproto.WithdrawRequest) {
	posting, err := w.store.Withdraw(r.c.session, r.frame.ReqID, q.Amount)
	w.posted(r, posting, err)
}

func (w *Worker) transfer(r *request, q *libproto.TransferRequest) {
	posting, err := w.store.Transfer(r.c.session, r.frame.ReqID, q.ToUserID, q.Amount)
	w.posted(r, posting, err)
}

// posted answers a request that moved money, or did not.
func (w *Worker) posted(r *request, p shmstore.Posting, err error) {
	if err != nil {
		w.refuseOver(r, p.Basis, err)
		return
	}
	w.committed = true
	if w.await(r, p.Seq) {
		r.replayed = p.Replayed
		respond(w, r, libproto.TxnResponse{Balance: p.Balance, TxnID: p.Seq})
	}
}

func (w *Worker) balance(r *request, _ *libproto.Empty) {
	balance, last, err := w.store.Balance(r.c.session.User)
	if w.segment.ReadOnly() { // the rest will perhaps not be kept
		balance, last, err = w.store.DurableBalance(r.c.session.User)
	}
	if err != nil {
		w.refuse(r, err)
		return
	}
	if w.await(r, last) {
		respond(w, r, libproto.BalanceResponse{Balance: balance, LastTxnID: last})
	}
}

func (w *Worker) txnHistory(r *request, q *libproto.TxnHistoryRequest) {
	l := &w.lists
	rowsMax := l.fit(q.RowsMax, libproto.TxnInfo{}.EncodedLen())
	before := q.BeforeTxnID
	if last := w.segment.Durable(); w.segment.ReadOnly() && (before == 0 || before > last) {
		before = last + 1 // the rest will perhaps not be kept
	}
	rows, err := w.store.History(r.c.session.User, before, l.history[:0:rowsMax])
	if err != nil {
		w.refuse(r, err)
		return
	}
	if len(rows) != 0 && !w.await(r, rows[0].Seq) {
		return
	}
	l.txns = l.txns[:0]
	for _, r := range rows {
		l.txns = append(l.txns, libproto.TxnInfo{
			TxnID: r.Seq, TimeNs: r.TimeNs, Kind: libproto.TxnKind(r.Kind), PeerUserID: r.Peer,
			Delta: r.Delta, BalanceAfter: r.BalanceAfter,
		})
	}
	respond(w, r, libproto.TxnHistoryResponse{Txns: l.txns})
}

func (w *Worker) transferBatch(r *request, q *libproto.TransferBatchRequest) {
	l := &w.lists
	l.legs = l.legs[:0]
	for _, leg := range q.Legs {
		l.legs = append(l.legs, shmstore.Leg{To: leg.ToUserID, Amount: leg.Amount})
	}
	outcomes := l.outcomes[:len(l.legs)]
	posting, err := w.store.TransferBatch(r.c.session, r.frame.ReqID, l.legs, outcomes)
	if err == nil {
		err = refusedWhole(outcomes)
	}
	if err != nil {
		w.refuse(r, err)
		return
	}
	w.committed = true
	if !w.await(r, max(posting.Seq, posting.Basis)) {
		return
	}
	l.results = l.results[:0]
	for _, o := range outcomes {
		l.results = append(l.results, libproto.LegResult{Status: wirestatus.Of(o.Err), TxnID: o.Seq})
	}
	r.replayed = posting.Replayed
	respond(w, r, libproto.TransferBatchResponse{Balance: posting.Balance, Results: l.results})
}

// refusedWhole is the error of a batch none of whose legs could be run because of the server's or the session's state.
func refusedWhole(legs []shmstore.LegResult) error {
	for i := range legs {
		if err := legs[i].Err; !errors.Is(err, shmstore.ErrReadOnly) && !errors.Is(err, shmstore.ErrFenced) {
			return nil
		}
	}
	return legs[0].Err
}

func (w *Worker) txnStatus(r *request, q *libproto.TxnStatusRequest) {
	outcome, posting, err := w.store.TxnStatus(r.c.session.User, q.SessionID, q.ReqID)
	if err != nil {
		w.refuse(r, err)
		return
	}
	if !w.await(r, posting.Seq) {
		return
	}
	respond(w, r, libproto.TxnStatusResponse{
		Outcome: libproto.TxnOutcome(outcome), TxnID: posting.Seq, BalanceAfter: posting.Balance,
	})
}

package worker

import (
	"errors"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/wirestatus"
	"tradechat.internal/shmstore"
)

func (w *Worker) deposit(c *conn, f *libproto.Frame, q *libproto.DepositRequest) {
	posting, err := w.store.Deposit(c.session, f.ReqID, q.Amount)
	w.posted(f, posting, err)
}

func (w *Worker) withdraw(c *conn, f *libproto.Frame, q *libproto.WithdrawRequest) {
	posting, err := w.store.Withdraw(c.session, f.ReqID, q.Amount)
	w.posted(f, posting, err)
}

func (w *Worker) transfer(c *conn, f *libproto.Frame, q *libproto.TransferRequest) {
	posting, err := w.store.Transfer(c.session, f.ReqID, q.ToUserID, q.Amount)
	w.posted(f, posting, err)
}

// posted answers a request that moved money, or did not.
func (w *Worker) posted(f *libproto.Frame, p shmstore.Posting, err error) {
	if err != nil {
		w.refuseOver(f, p.Basis, err)
		return
	}
	w.committed = true
	if w.promise(f, p.Seq) {
		respondWith(w, f, replayed(p.Replayed), libproto.TxnResponse{Balance: p.Balance, TxnID: p.Seq})
	}
}

func replayed(was bool) libproto.Flags {
	if was {
		return libproto.FlagReplayed
	}
	return 0
}

func (w *Worker) balance(c *conn, f *libproto.Frame, _ *libproto.Empty) {
	balance, last, err := w.store.Balance(c.session.User)
	if w.segment.ReadOnly() { // the rest will perhaps not be kept
		balance, last, err = w.store.DurableBalance(c.session.User)
	}
	if err != nil {
		w.refuse(f, err)
		return
	}
	if w.promise(f, last) {
		respond(w, f, libproto.BalanceResponse{Balance: balance, LastTxnID: last})
	}
}

func (w *Worker) txnHistory(c *conn, f *libproto.Frame, q *libproto.TxnHistoryRequest) {
	l := &w.lists
	rowsMax := l.fit(q.RowsMax, libproto.TxnInfo{}.EncodedLen())
	before := q.BeforeTxnID
	if last := w.segment.Durable(); w.segment.ReadOnly() && (before == 0 || before > last) {
		before = last + 1 // the rest will perhaps not be kept
	}
	rows, err := w.store.History(c.session.User, before, l.history[:0:rowsMax])
	if err != nil {
		w.refuse(f, err)
		return
	}
	if len(rows) != 0 && !w.promise(f, rows[0].Seq) {
		return
	}
	l.txns = l.txns[:0]
	for _, r := range rows {
		l.txns = append(l.txns, libproto.TxnInfo{
			TxnID: r.Seq, TimeNs: r.TimeNs, Kind: libproto.TxnKind(r.Kind), PeerUserID: r.Peer,
			Delta: r.Delta, BalanceAfter: r.BalanceAfter,
		})
	}
	respond(w, f, libproto.TxnHistoryResponse{Txns: l.txns})
}

func (w *Worker) transferBatch(c *conn, f *libproto.Frame, q *libproto.TransferBatchRequest) {
	l := &w.lists
	l.legs = l.legs[:0]
	for _, leg := range q.Legs {
		l.legs = append(l.legs, shmstore.Leg{To: leg.ToUserID, Amount: leg.Amount})
	}
	outcomes := l.outcomes[:len(l.legs)]
	posting, err := w.store.TransferBatch(c.session, f.ReqID, l.legs, outcomes)
	if err == nil {
		err = refusedWhole(outcomes)
	}
	if err != nil {
		w.refuse(f, err)
		return
	}
	w.committed = true
	if !w.promise(f, max(posting.Seq, posting.Basis)) {
		return
	}
	l.results = l.results[:0]
	for _, o := range outcomes {
		l.results = append(l.results, libproto.LegResult{Status: wirestatus.Of(o.Err), TxnID: o.Seq})
	}
	respondWith(w, f, replayed(posting.Replayed), libproto.TransferBatchResponse{Balance: posting.Balance, Results: l.results})
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

func (w *Worker) txnStatus(c *conn, f *libproto.Frame, q *libproto.TxnStatusRequest) {
	outcome, posting, err := w.store.TxnStatus(c.session.User, q.SessionID, q.ReqID)
	if err != nil {
		w.refuse(f, err)
		return
	}
	if !w.promise(f, posting.Seq) {
		return
	}
	respond(w, f, libproto.TxnStatusResponse{
		Outcome: libproto.TxnOutcome(outcome), TxnID: posting.Seq, BalanceAfter: posting.Balance,
	})
}

package journal

import (
	"testing"

	"tradechat.internal/ledger"
)

// history makes records that fit.
type history struct {
	fold *ledger.Fold
	time uint64
}

func newHistory() *history { return &history{fold: ledger.NewFold(), time: 1} }

func (h *history) add(r ledger.Record) ledger.Record {
	h.time++
	r.Seq, r.TimeNs = h.fold.Head+1, h.time
	if r.SessionID != 0 {
		r.Fingerprint = ledger.BeginFingerprint(r.Kind, 1).With(r.Peer, r.Amount)
	}
	in, out := r.Flows()
	r.SupplyAfter = h.fold.Supply + in - out
	if err := h.fold.Apply(&r); err != nil {
		panic(err)
	}
	return r
}

func (h *history) user(name string) ledger.Record {
	r := ledger.Record{Kind: ledger.KindUserCreate, Subject: uint32(len(h.fold.Users))}
	r.AsName().Name = ledger.PadName([]byte(name))
	r.AsName().Keys.Stored[0] = byte(len(name))
	return h.add(r)
}

func (h *history) room(name string) ledger.Record {
	r := ledger.Record{Kind: ledger.KindRoomCreate, Subject: uint32(len(h.fold.Rooms))}
	r.AsName().Name = ledger.PadName([]byte(name))
	return h.add(r)
}

func (h *history) deposit(user uint32, amount uint64) ledger.Record {
	a := h.fold.Accounts[user]
	return h.add(ledger.Record{
		Kind: ledger.KindDeposit, Subject: user, Amount: amount, SubjectBalance: a.Balance + int64(amount),
		SubjectPrev: a.LastSeq, SubjectTotal: a.Deposited + amount, SessionID: 1, ReqID: h.fold.Head, Legs: 1,
	})
}

func (h *history) withdraw(user uint32, amount uint64) ledger.Record {
	a := h.fold.Accounts[user]
	return h.add(ledger.Record{
		Kind: ledger.KindWithdraw, Subject: user, Amount: amount, SubjectBalance: a.Balance - int64(amount),
		SubjectPrev: a.LastSeq, SubjectTotal: a.Withdrawn + amount, SessionID: 1, ReqID: h.fold.Head, Legs: 1,
	})
}

func (h *history) transfer(from, to uint32, amount uint64) ledger.Record {
	a, b := h.fold.Accounts[from], h.fold.Accounts[to]
	return h.add(ledger.Record{
		Kind: ledger.KindTransfer, Subject: from, Peer: to, Amount: amount,
		SubjectBalance: a.Balance - int64(amount), PeerBalance: b.Balance + int64(amount),
		SubjectPrev: a.LastSeq, PeerPrev: b.LastSeq, SessionID: 1, ReqID: h.fold.Head, Legs: 1,
	})
}

// some is a history of n records and more.
func (h *history) some(n int) (records []ledger.Record) {
	records = append(records, h.room("lobby"), h.user("ann"), h.user("bob"), h.deposit(1, 1000))
	for i := range n {
		switch i % 4 {
		case 0:
			records = append(records, h.transfer(1, 2, 3))
		case 1:
			records = append(records, h.transfer(2, 1, 3))
		case 2:
			records = append(records, h.deposit(2, 5))
		default:
			records = append(records, h.withdraw(2, 1))
		}
	}
	return records
}

func TestWhatWasWrittenIsRecovered(t *testing.T) {
	dir := t.TempDir() + "/journal"
	from, err := Recover(dir, RecoverOptions{TailRecords: 10})
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(dir, from, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h := newHistory()
	for _, r := range h.some(20) {
		if err := w.Append([]ledger.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Snapshot(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := Recover(dir, RecoverOptions{TailRecords: 10})
	if err != nil {
		t.Fatal(err)
	}
	if d := h.fold.Differs(got.Fold); d != "" || len(got.Tail) != 10 || got.Snapshot != h.fold.Head || got.Tail[9].Seq != h.fold.Head {
		t.Fatalf("%s; %d, %d", d, len(got.Tail), got.Snapshot)
	}
	a, err := Check(dir, AuditOptions{})
	if err != nil || !a.OK || a.Records != 24 || len(a.Snapshots) != 1 {
		t.Fatalf("%v %+v %+v", err, a, a.Problem)
	}
}

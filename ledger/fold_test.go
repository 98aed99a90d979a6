package ledger

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// small is a fold of a room, two users and some money: ann has 70, bob 30.
func small(t *testing.T) *Fold {
	t.Helper()
	f := NewFold()
	for _, r := range []Record{
		named(KindRoomCreate, 1, 1, "lobby"), named(KindUserCreate, 2, 1, "ann"), named(KindUserCreate, 3, 2, "bob"),
		{Seq: 4, TimeNs: 4, Kind: KindDeposit, SupplyAfter: 100, Subject: 1, Amount: 100, SubjectBalance: 100, SubjectTotal: 100, Legs: 1},
		{Seq: 5, TimeNs: 5, Kind: KindTransfer, SupplyAfter: 100, Subject: 1, Peer: 2, Amount: 30, SubjectBalance: 70, PeerBalance: 30, SubjectPrev: 4, SessionID: 9, ReqID: 1, Fingerprint: single(KindTransfer, 2, 30), Legs: 1},
	} {
		if err := f.Apply(&r); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func named(kind Kind, seq uint64, subject uint32, name string) Record {
	r := Record{Seq: seq, TimeNs: seq, Kind: kind, Subject: subject}
	r.AsName().Name = PadName([]byte(name))
	return r
}

// single is the fingerprint of a request with one leg.
func single(kind Kind, peer uint32, amount uint64) Fingerprint {
	return BeginFingerprint(kind, 1).With(peer, amount)
}

func next() Record {
	return Record{
		Seq: 6, TimeNs: 6, Kind: KindTransfer, SupplyAfter: 100, Subject: 1, Peer: 2, Amount: 20,
		SubjectBalance: 50, PeerBalance: 50, SubjectPrev: 5, PeerPrev: 5, SessionID: 9, ReqID: 2, Legs: 1, Fingerprint: single(KindTransfer, 2, 20),
	}
}

// TestEveryFieldIsChecked changes one thing of a record that fits: it must not fit any more, and change nothing.
func TestEveryFieldIsChecked(t *testing.T) {
	for name, spoil := range map[string]func(r *Record){
		"seq":              func(r *Record) { r.Seq++ },
		"seq again":        func(r *Record) { r.Seq-- },
		"time":             func(r *Record) { r.TimeNs = 4 },
		"supply":           func(r *Record) { r.SupplyAfter++ },
		"no kind":          func(r *Record) { r.Kind = KindNone },
		"another kind":     func(r *Record) { r.Kind = KindDeposit },
		"leg":              func(r *Record) { r.Leg = 1 },
		"subject":          func(r *Record) { r.Subject = 2 },
		"nobody":           func(r *Record) { r.Subject = 0 },
		"unknown user":     func(r *Record) { r.Subject = 3 },
		"peer":             func(r *Record) { r.Peer = 1 },
		"no peer":          func(r *Record) { r.Peer = 0 },
		"unknown peer":     func(r *Record) { r.Peer = 1 << 31 },
		"amount":           func(r *Record) { r.Amount++ },
		"amount 0":         func(r *Record) { r.Amount = 0 },
		"amount too large": func(r *Record) { r.Amount = 1 << 63 },
		"balance":          func(r *Record) { r.SubjectBalance-- },
		"peer's balance":   func(r *Record) { r.PeerBalance++ },
		"previous":         func(r *Record) { r.SubjectPrev = 4 },
		"peer's previous":  func(r *Record) { r.PeerPrev = 0 },
		"total":            func(r *Record) { r.SubjectTotal = 1 },
		"req_id of nobody": func(r *Record) { r.SessionID = 0 },
		"no legs":          func(r *Record) { r.Legs = 0 },
		"flags":            func(r *Record) { r.Flags = 2 },
		"batch head":       func(r *Record) { r.BatchHead = 6 },
		"fingerprint":      func(r *Record) { r.Fingerprint++ },
		"overdrawn":        func(r *Record) { r.Amount, r.SubjectBalance, r.PeerBalance = 71, -1, 101 },
		"a user twice":     func(r *Record) { *r = named(KindUserCreate, 6, 3, "ann"); r.SupplyAfter = 100 },
		"a user's id":      func(r *Record) { *r = named(KindUserCreate, 6, 4, "cid"); r.SupplyAfter = 100 },
		"a user's name":    func(r *Record) { *r = named(KindUserCreate, 6, 3, "c d"); r.SupplyAfter = 100 },
		"no name":          func(r *Record) { *r = named(KindUserCreate, 6, 3, ""); r.SupplyAfter = 100 },
		"behind the name":  func(r *Record) { *r = named(KindUserCreate, 6, 3, "c\x00d"); r.SupplyAfter = 100 },
		"keys of nobody":   func(r *Record) { *r = named(KindUserKeys, 6, 3, "cid"); r.SupplyAfter = 100 },
		"keys of another":  func(r *Record) { *r = named(KindUserKeys, 6, 1, "bob"); r.SupplyAfter = 100 },
		"a room twice":     func(r *Record) { *r = named(KindRoomCreate, 6, 2, "lobby"); r.SupplyAfter = 100 },
		"a room's id":      func(r *Record) { *r = named(KindRoomCreate, 6, 3, "tea"); r.SupplyAfter = 100 },
		"a room with keys": func(r *Record) {
			*r = named(KindRoomCreate, 6, 2, "tea")
			r.SupplyAfter = 100
			r.AsName().Keys.Server[3] = 1
		},
		"supply of a name": func(r *Record) { *r = named(KindRoomCreate, 6, 2, "tea") },
		"supply too large": func(r *Record) {
			*r = Record{Seq: 6, TimeNs: 6, Kind: KindDeposit, Subject: 1, Legs: 1, SubjectPrev: 5, Amount: 1<<63 - 100, SupplyAfter: 1 << 63, SubjectBalance: 1<<63 - 30 - 1, SubjectTotal: 1 << 63}
		},
		"deposit's total": func(r *Record) {
			*r = Record{Seq: 6, TimeNs: 6, Kind: KindDeposit, Subject: 1, Legs: 1, SubjectPrev: 5, Amount: 1, SupplyAfter: 101, SubjectBalance: 71, SubjectTotal: 100}
		},
		"deposit with peer": func(r *Record) {
			*r = Record{Seq: 6, TimeNs: 6, Kind: KindDeposit, Subject: 1, Peer: 2, Legs: 1, SubjectPrev: 5, Amount: 1, SupplyAfter: 101, SubjectBalance: 71, SubjectTotal: 101}
		},
		"withdrawal's total": func(r *Record) {
			*r = Record{Seq: 6, TimeNs: 6, Kind: KindWithdraw, Subject: 1, Legs: 1, SubjectPrev: 5, Amount: 1, SupplyAfter: 99, SubjectBalance: 69}
		},
	} {
		f := small(t)
		before := f.Clone()
		r := next()
		spoil(&r)
		if err := f.Apply(&r); !errors.Is(err, ErrMisfit) || !strings.Contains(err.Error(), fmt.Sprint("record ", r.Seq)) {
			t.Errorf("%s: %v", name, err)
		}
		if d := before.Differs(f); d != "" {
			t.Errorf("%s changed the fold: %s", name, d)
		}
		if r = next(); f.Apply(&r) != nil {
			t.Errorf("%s: what fits does not fit any more", name)
		}
	}
}

func TestWhatFits(t *testing.T) {
	f := small(t)
	for _, r := range []Record{
		next(),
		{Seq: 7, TimeNs: 6, Kind: KindWithdraw, SupplyAfter: 60, Subject: 2, Amount: 40, SubjectBalance: 10, SubjectPrev: 6, SubjectTotal: 40, Legs: 1, Flags: FlagLate, SessionID: 3, ReqID: 1, Fingerprint: single(KindWithdraw, 0, 40)},
	} {
		if err := f.Apply(&r); err != nil {
			t.Fatal(err)
		}
	}
	keys := named(KindUserKeys, 8, 2, "bob")
	keys.SupplyAfter, keys.AsName().Keys.Server[0] = 60, 7
	if err := f.Apply(&keys); err != nil || f.Users[2].Keys.Server[0] != 7 || f.Users[2].KeysSeq != 8 || f.Users[2].Seq != 3 {
		t.Errorf("%v, %+v", err, f.Users[2])
	}
	if s := f.Sums(); f.Conserved() != nil || s != (Sums{Balances: TotalOf(60), Deposits: TotalOf(100), Withdrawals: TotalOf(40)}) {
		t.Errorf("%+v, %v", s, f.Conserved())
	}
	f.Accounts[1].Balance++
	if f.Conserved() == nil {
		t.Error("money was made, and nobody sees it")
	}
}

// TestNamesOfManyUsers: every name is found, and none twice, whatever the size of the index.
func TestNamesOfManyUsers(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	f := NewFold()
	ids := make(map[string]uint32)
	for len(ids) < 5000 {
		name := fmt.Sprintf("%x", random.Uint32N(20_000))
		r := named(KindUserCreate, f.Head+1, uint32(len(f.Users)), name)
		_, taken := ids[name]
		if err := f.Apply(&r); (err != nil) != taken {
			t.Fatalf("seed %d: %q, taken %v: %v", seed, name, taken, err)
		}
		if !taken {
			ids[name] = r.Subject
		}
	}
	for name, want := range ids {
		if id, found := f.user(PadName([]byte(name))); !found || id != want {
			t.Fatalf("%q is %d, %v; want %d", name, id, found, want)
		}
	}
}

func TestPostingsDoNotAllocate(t *testing.T) {
	f := small(t)
	balance, seq, r := int64(30), uint64(5), new(Record)
	if n := testing.AllocsPerRun(1000, func() {
		seq++
		balance++
		*r = Record{Seq: seq, TimeNs: seq, Kind: KindDeposit, SupplyAfter: f.Supply + 1, Subject: 2, Amount: 1, SubjectBalance: balance,
			SubjectPrev: f.Accounts[2].LastSeq, SubjectTotal: f.Accounts[2].Deposited + 1, Legs: 1}
		if f.Apply(r) != nil {
			t.Fatal("it does not fit")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestAnUnknownKindIsNewer, and not damage.
func TestAnUnknownKindIsNewer(t *testing.T) {
	f := small(t)
	r := next()
	r.Kind = 99
	if err := f.Apply(&r); !errors.Is(err, ErrNewer) || errors.Is(err, ErrMisfit) {
		t.Errorf("%v", err)
	}
	if r = next(); f.Apply(&r) != nil {
		t.Error("it has changed the fold")
	}
}

// The wall clock may be set back, and records have its time again; clocks that differ by moments are no reason for a time that goes back.
func TestTimesGoBackByMuchOrNotAtAll(t *testing.T) {
	for by, fits := range map[time.Duration]bool{0: true, 1: false, ClockSlack: false, ClockSlack + 1: true, 73 * 365 * 24 * time.Hour: true} {
		f := small(t)
		f.TimeNs = uint64(100 * 365 * 24 * time.Hour)
		r := next()
		r.TimeNs = f.TimeNs - uint64(by)
		if err := f.Apply(&r); (err == nil) != fits {
			t.Errorf("back by %v: %v", by, err)
		}
	}
}

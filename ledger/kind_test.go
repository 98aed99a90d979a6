package ledger

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// TestTheTableOfKindsIsWhole: each kind says what it is, and a number beyond is nothing.
func TestTheTableOfKindsIsWhole(t *testing.T) {
	names := make(map[string]bool)
	for _, k := range Kinds() {
		info := k.Info()
		if info.Name == "" || names[info.Name] || k.String() != info.Name || info.Body == BodyNone || info.Text == "" || k.Newer() {
			t.Errorf("kind %d: %+v", k, info)
		}
		names[info.Name] = true
		if moves := info.Subject != 0; moves != (info.Body == BodyPosting) || !moves && (info.Peer != 0 || info.Sum != SumNone) {
			t.Errorf("%v moves money and is no posting, or the other way round: %+v", k, info)
		}
		if supply := info.Subject + info.Peer; (supply != 0) != (info.Sum != SumNone) {
			t.Errorf("%v: what changes the supply is a deposit or a withdrawal, and in that sum: %+v", k, info)
		}
	}
	for k := int(kindsEnd); k < len(kinds); k++ {
		if kind := Kind(k); !kind.Newer() || kind.Info().Body != BodyNone || kind.String() != "unknown" {
			t.Errorf("kind %d: %+v", k, kind.Info())
		}
	}
}

func TestPrint(t *testing.T) {
	got := Print(KindTransfer.Info().Text, func(verb byte) string { return strings.ToUpper(string(verb)) })
	if got != "U → P  A  leaves S and B" {
		t.Error(got)
	}
}

// TestTotalsDoNotWrap: 64-bit sums would be 0, and right by chance.
func TestTotalsDoNotWrap(t *testing.T) {
	f := NewFold()
	f.Users = append(f.Users, User{}, User{})
	f.Accounts = append(f.Accounts, Account{Deposited: math.MaxUint64, Withdrawn: math.MaxUint64}, Account{Deposited: 1})
	s := f.Sums()
	if s.Deposits.String() != "18446744073709551616" || s.Withdrawals.String() != "18446744073709551615" {
		t.Errorf("%v and %v", s.Deposits, s.Withdrawals)
	}
	if err := f.Conserved(); err == nil || !strings.Contains(err.Error(), "deposits 18446744073709551616") {
		t.Errorf("a cent is missing: %v", err)
	}
	f.Accounts[2].Balance, f.Supply = 1, 1
	if err := f.Conserved(); err != nil {
		t.Error(err)
	}
	text, err := json.Marshal(s.Deposits)
	var back Total
	if err != nil || json.Unmarshal(text, &back) != nil || back != s.Deposits || string(text) != s.Deposits.String() {
		t.Errorf("%s, %v, %v", text, back, err)
	}
	for _, wrong := range []string{"-1", `"1"`, "1.5", "340282366920938463463374607431768211456"} {
		if json.Unmarshal([]byte(wrong), &back) == nil {
			t.Errorf("%s is a total", wrong)
		}
	}
}

// TestAnAccountsTotalDoesNotWrap: a record whose total has wrapped does not fit.
func TestAnAccountsTotalDoesNotWrap(t *testing.T) {
	f := small(t)
	f.Accounts[1].Deposited = math.MaxUint64
	r := Record{
		Seq: 6, TimeNs: 6, Kind: KindDeposit, Subject: 1, Legs: 1, SubjectPrev: 5, Amount: 1, SupplyAfter: f.Supply + 1,
		SubjectBalance: f.Accounts[1].Balance + 1, SubjectTotal: 0,
	}
	if err := f.Apply(&r); err == nil || !strings.Contains(err.Error(), "more than a record holds") {
		t.Error(err)
	}
}

// TestAWindowSaysWhatTheFoldSays: of any end of the log, whatever it begins with.
func TestAWindowSaysWhatTheFoldSays(t *testing.T) {
	records := []Record{
		named(KindRoomCreate, 1, 1, "lobby"), named(KindUserCreate, 2, 1, "alice"), named(KindUserCreate, 3, 2, "bob"),
		{Seq: 4, TimeNs: 4, Kind: KindDeposit, SupplyAfter: 100, Subject: 1, Amount: 100, SubjectBalance: 100, SubjectTotal: 100, Legs: 1},
		{Seq: 5, TimeNs: 5, Kind: KindTransfer, SupplyAfter: 100, Subject: 1, Peer: 2, Amount: 30, SubjectBalance: 70, PeerBalance: 30, SubjectPrev: 4, Legs: 1},
		{Seq: 6, TimeNs: 6, Kind: KindWithdraw, SupplyAfter: 90, Subject: 2, Amount: 10, SubjectBalance: 20, SubjectPrev: 5, SubjectTotal: 10, Legs: 1},
	}
	f := NewFold()
	if n, err := f.ApplyAll(records); err != nil {
		t.Fatal(n, err)
	}
	for first := range records {
		w := NewWindow(len(f.Accounts))
		w.Restart(uint64(first) + 1)
		for i := range records[first:] {
			if err := w.Apply(&records[first+i]); err != nil {
				t.Fatalf("from %d: %v", first+1, err)
			}
		}
		for user := range f.Accounts {
			if d := w.Differs(uint32(user), &f.Accounts[user]); d != "" {
				t.Errorf("from %d: user %d: %s", first+1, user, d)
			}
			other := f.Accounts[user]
			other.LastSeq += 1 << 20
			if w.Differs(uint32(user), &other) == "" {
				t.Errorf("from %d: user %d: a row ahead of the log is believed", first+1, user)
			}
		}
		if first > 4 {
			continue
		}
		wrong := records[5]
		wrong.SubjectBalance++
		w.Restart(5)
		if err := w.Apply(&records[4]); err != nil {
			t.Fatal(err)
		}
		if w.Apply(&wrong) == nil {
			t.Error("a wrong balance is believed")
		}
	}
}

package shmstore

import (
	"bufio"
	"fmt"
	"strings"
	"testing"

	"tradechat.internal/ledger"
)

// restorable is what a journal holds, the same in every process: alice and bob, a room, and money that moved.
func restorable() (*ledger.Fold, []ledger.Record) {
	f, records := ledger.NewFold(), []ledger.Record(nil)
	add := func(rec ledger.Record) {
		rec.Seq, rec.TimeNs = f.Head+1, f.TimeNs+1
		in, out := rec.Flows()
		rec.SupplyAfter = f.Supply + in - out
		if err := f.Apply(&rec); err != nil {
			panic(err)
		}
		records = append(records, rec)
	}
	name := func(kind ledger.Kind, subject uint32, name string) {
		rec := ledger.Record{Kind: kind, Subject: subject}
		rec.AsName().Name = ledger.PadName([]byte(name))
		if kind != ledger.KindRoomCreate {
			rec.AsName().Keys = ledger.Keys{Stored: keyOf(oldKey), Server: keyOf(oldKey)}
		}
		add(rec)
	}
	name(ledger.KindUserCreate, alice, "alice")
	name(ledger.KindUserCreate, bob, "bob")
	name(ledger.KindRoomCreate, 1, "lobby")
	add(ledger.Record{Kind: ledger.KindDeposit, Legs: 1, Subject: alice, Amount: 100, SubjectBalance: 100, SubjectTotal: 100})
	add(ledger.Record{
		Kind: ledger.KindTransfer, Legs: 1, Subject: alice, Peer: bob, Amount: 30, SubjectBalance: 70, PeerBalance: 30, SubjectPrev: 4,
	})
	return f, records
}

// crashRestoreRole fills an empty segment from disk, as a journal does at a cold start, between two stops.
func crashRestoreRole(st *Store, _ int, _ *bufio.Writer) error {
	fold, records := restorable()
	return betweenStops(func() error { return st.seg.Restore(fold, records) })
}

// TestARestoreThatWasCutShortIsNotBelieved: a cold start is killed after every instruction. The next start revives the segment,
// audits it and compares it with disk; it goes on with it only if nothing is missing, and otherwise makes a new one.
func TestARestoreThatWasCutShortIsNotBelieved(t *testing.T) {
	if raceDetector() {
		t.Skip("the race detector's own instructions and memory are stepped through too; run it without -race")
	}
	scene := &crashScene{seg: newSegment(t, smallShape()), events: newEventFDs(t, 4)}
	child := traceChild(t, scene, "crash-restore", 2, 0)
	defer child.end()
	child.runToStop()
	kills, states, believed := 0, 0, 0
	child.eachInstruction(func(image *crashImage, where string, known bool) {
		kills++
		if known {
			return
		}
		states++
		problem, err := judgeRestored(image.clone().seg)
		if err == nil {
			believed++
		}
		if problem != "" {
			t.Errorf("killed %s: the segment is believed, and %s", where, problem)
		}
	})
	if believed == 0 || believed > 2 {
		t.Errorf("%d of %d states were believed: the last ones are to be", believed, states)
	}
	t.Logf("killed %d times in %d states: %d were given up for what is on disk, %d believed", kills, states, states-believed, believed)
}

// judgeRestored makes a start with what a killed one left. err says why the segment is given up; problem, what is wrong
// with one that is not.
func judgeRestored(seg *Segment) (problem string, err error) {
	fold, records := restorable()
	st, _, err := seg.Revive(2, func(int) {})
	if err != nil {
		return "", err
	}
	if report := seg.VerifyQuiescent(); !report.OK() {
		return "", fmt.Errorf("%w: %s", ErrDamaged, strings.Join(report.Problems, "; "))
	}
	if err := seg.CheckAgainst(fold, records); err != nil {
		return "", err
	}
	for user, name := range map[uint32]string{alice: "alice", bob: "bob"} {
		if found, _ := seg.FindUser([]byte(name)); found != user {
			return fmt.Sprintf("%s is user %d", name, found), nil
		}
		history, err := st.History(user, 0, make([]HistoryRow, 0, 9))
		if err != nil || len(history) != 2-int(user-alice) {
			return fmt.Sprintf("%s has the history %+v, %v", name, history, err), nil
		}
	}
	if p, err := aliceGivesAll(st); err != nil || p.Balance != 0 || p.Seq != fold.Head+1 {
		return fmt.Sprintf("alice pays %+v, %v", p, err), nil
	}
	if report := seg.VerifyQuiescent(); !report.OK() {
		return strings.Join(report.Problems, "; "), nil
	}
	return "", nil
}

func aliceGivesAll(st *Store) (Posting, error) {
	s, err := st.OpenSession(alice)
	if err != nil {
		return Posting{}, err
	}
	defer st.CloseSession(s)
	return st.Transfer(s, 1, bob, 70)
}

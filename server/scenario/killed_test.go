package scenario

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tradechat.internal/ledger"
	"tradechat.internal/ledger/journal"
	"tradechat.internal/libproto"
)

// roundsVariable is how often TestEverythingKilledAgainAndAgain kills; a few times if it is not set.
const roundsVariable = "TRADECHAT_KILL_ROUNDS"

// order is one money request of a teller, and what it was told of it.
type order struct {
	op       libproto.Opcode
	reqID    uint64
	body     libproto.Body
	answered bool
	status   libproto.Status
	txnID    uint64 // of the leg that was applied first; a leg before it that was refused then may be applied by a retry. 0: none
	balance  int64
	legs     []libproto.LegResult
}

// teller makes money requests in one session, from kill to kill.
type teller struct {
	*session
	pays   bool // transfers and nothing else, in turns one and payLegs of them
	random *rand.Rand
	others []uint32
	orders []*order
	fresh  int // orders before it were checked after an earlier kill
	acked  *atomic.Int64
}

const (
	tellerWindow = 8
	tellers      = 6
	payLegs      = 500
)

// TestEverythingKilledAgainAndAgain kills all processes at once under load and starts the server again, in turns with the
// shared memory that they left and without it. Whatever was acknowledged must be there, once. What was not answered is
// asked for with TXN_STATUS and then retried under its req_id: both must agree.
func TestEverythingKilledAgainAndAgain(t *testing.T) {
	rounds := 4
	if text := os.Getenv(roundsVariable); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("%s=%s: %v", roundsVariable, text, err)
		}
		rounds = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	w := newWorld(shortFolder(t))
	t.Cleanup(w.cleanUp)
	check(t, w.startServer(launchRequest{flags: []string{"--workers=3", "--snapshot-every=5000"}}))
	acked := new(atomic.Int64)
	all := openTellers(t, w, random, acked)
	for round := range rounds {
		w.workAndKill(t, all, acked, 200+random.Int64N(2000))
		cold := round%2 == 1
		if cold {
			check(t, os.Remove(w.segmentPath()))
		}
		check(t, w.startServer(launchRequest{flags: []string{"--workers=3", "--snapshot-every=5000"}}))
		applied, lost := 0, 0
		for _, teller := range all {
			a, l, err := w.comeBack(teller, -1)
			if err != nil {
				t.Fatalf("round %d (cold %v), %s: %v\n%s", round, cold, teller.name, err, w.server.stderr.String())
			}
			applied, lost = applied+a, lost+l
		}
		t.Logf("round %d: cold %v, %d requests acknowledged so far, of the unanswered %d had been applied and %d not", round, cold, acked.Load(), applied, lost)
	}
	for _, teller := range all {
		teller.hangUp()
	}
	check(t, w.server.signal("INT"))
	if how, err := w.server.end(0); err != nil || how != "0" {
		t.Fatalf("the server ended with %s, %v:\n%s", how, err, w.server.stderr.whole())
	}
	checkJournal(t, filepath.Join(w.data, "journal"), all)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shortFolder is a work folder whose path leaves room for a socket's name.
func shortFolder(t *testing.T) string {
	folder, err := os.MkdirTemp(workFolder, "go-")
	check(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

func openTellers(t *testing.T, w *world, random *rand.Rand, acked *atomic.Int64) (all []*teller) {
	var ids []uint32
	for i := range tellers {
		s, err := w.greeted(fmt.Sprintf("teller%d", i), -1, false)
		if err == nil {
			err = w.logIn(s)
		}
		check(t, err)
		ids = append(ids, w.users[s.name].id)
		all = append(all, &teller{session: s, random: rand.New(rand.NewPCG(random.Uint64(), 1)), acked: acked})
	}
	for i, teller := range all {
		teller.others = append(append(teller.others, ids[:i]...), ids[i+1:]...)
	}
	return all
}

// workAndKill lets the tellers work until so many more requests were acknowledged, and then kills everything.
func (w *world) workAndKill(t *testing.T, all []*teller, acked *atomic.Int64, more int64) {
	var wg sync.WaitGroup
	failures := make(chan error, len(all))
	for _, teller := range all {
		wg.Go(func() { failures <- teller.work() })
	}
	target := acked.Load() + more
	err := await("requests to be acknowledged", func() bool { return acked.Load() >= target })
	check(t, errors.Join(err, w.server.killEverything()))
	wg.Wait()
	for range all {
		check(t, <-failures)
	}
}

// work keeps a window of requests under way until the connection ends.
func (l *teller) work() error {
	waiting := make(map[uint64]*order)
	for {
		for len(waiting) < tellerWindow {
			o := l.next()
			waiting[o.reqID] = o
			if l.write(libproto.AppendFrame(nil, libproto.Header{Op: o.op, ReqID: o.reqID}, o.body)) != nil {
				return nil //nolint:nilerr // the server was killed
			}
		}
		f, err := l.response()
		if err != nil {
			return nil //nolint:nilerr // the server was killed
		}
		o := waiting[f.ReqID]
		if o == nil || f.Flags&libproto.FlagReplayed != 0 {
			return fmt.Errorf("%s: an answer to %d, replayed %v", l.name, f.ReqID, f.Flags)
		}
		delete(waiting, f.ReqID)
		if err := o.book(f); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		l.acked.Add(1)
	}
}

// next makes up a request.
func (l *teller) next() *order {
	l.reqID++
	o := &order{reqID: l.reqID}
	amount := func() uint64 { return 1 + l.random.Uint64N(100) }
	other := func() uint32 { return l.others[l.random.IntN(len(l.others))] }
	kind, legsMax := l.random.IntN(8), 5
	if l.pays {
		kind, legsMax = 4+int(l.reqID%2), payLegs
	}
	switch kind {
	case 0, 1, 2:
		o.op, o.body = libproto.OpDeposit, libproto.DepositRequest{Amount: amount()}
	case 3:
		o.op, o.body = libproto.OpWithdraw, libproto.WithdrawRequest{Amount: amount()}
	case 4:
		var legs []libproto.TransferLeg
		for range 1 + l.random.IntN(legsMax) {
			legs = append(legs, libproto.TransferLeg{ToUserID: other(), Amount: amount()})
		}
		o.op, o.body = libproto.OpTransferBatch, libproto.TransferBatchRequest{Legs: legs}
	default:
		o.op, o.body = libproto.OpTransfer, libproto.TransferRequest{ToUserID: other(), Amount: amount()}
	}
	l.orders = append(l.orders, o)
	return o
}

// book notes what a request was answered.
func (o *order) book(f libproto.Frame) error {
	o.answered, o.status = true, f.Status
	switch f.Status {
	case libproto.StatusOK:
	case libproto.StatusInsufficientFunds, libproto.StatusServerBusy:
		return nil
	default:
		return fmt.Errorf("%v: %v", f.Op, f.Status)
	}
	if o.op != libproto.OpTransferBatch {
		var r libproto.TxnResponse
		err := r.Decode(f.Body)
		o.txnID, o.balance = r.TxnID, r.Balance
		return err
	}
	var r libproto.TransferBatchResponse
	err := r.Decode(f.Body)
	o.balance, o.legs = r.Balance, r.Results
	for _, leg := range r.Results {
		if leg.TxnID != 0 && (o.txnID == 0 || leg.TxnID < o.txnID) {
			o.txnID = leg.TxnID
		}
	}
	return err
}

// comeBack resumes a teller's session, on the worker of a slot unless that is -1, decides what was not answered, and tries some of
// what was.
func (w *world) comeBack(l *teller, slot int) (applied, lost int, err error) {
	s, err := w.greeted(l.name, slot, false)
	if err != nil {
		return 0, 0, err
	}
	past := l.session
	l.session = s
	if err := w.resume(s, past, []string{"OK"}); err != nil {
		return 0, 0, err
	}
	s.reqID = max(s.reqID, past.reqID)
	recent := l.orders[max(l.fresh, len(l.orders)-5*tellerWindow):]
	l.fresh = len(l.orders)
	for _, o := range recent {
		switch was, err := l.decide(o); {
		case err != nil:
			return applied, lost, err
		case was == libproto.TxnApplied:
			applied++
		default:
			lost++
		}
	}
	return applied, lost, nil
}

// decide asks what became of a request and makes it again: the two must agree, and an answer that was given must be given
// again.
func (l *teller) decide(o *order) (outcome libproto.TxnOutcome, err error) {
	var status libproto.TxnStatusResponse
	if err := l.get(libproto.OpTxnStatus, libproto.TxnStatusRequest{SessionID: l.id, ReqID: o.reqID}, &status); err != nil {
		return 0, err
	}
	if err := l.write(libproto.AppendFrame(nil, libproto.Header{Op: o.op, ReqID: o.reqID}, o.body)); err != nil {
		return 0, err
	}
	f, err := l.response()
	if err != nil {
		return 0, err
	}
	again := order{op: o.op}
	if err := again.book(f); err != nil {
		return 0, fmt.Errorf("request %d: %w", o.reqID, err)
	}
	replayed := f.Flags&libproto.FlagReplayed != 0
	switch {
	case replayed != (status.Outcome == libproto.TxnApplied):
		err = fmt.Errorf("request %d: outcome %v, and its retry is replayed: %v", o.reqID, status.Outcome, replayed)
	case replayed && !again.has(status.TxnID):
		err = fmt.Errorf("request %d: transaction %d by TXN_STATUS, %d by its retry", o.reqID, status.TxnID, again.txnID)
	case o.answered && o.txnID != 0 && (!replayed || !again.has(o.txnID) || again.balance != o.balance && o.op != libproto.OpTransferBatch):
		err = fmt.Errorf("request %d was answered transaction %d with balance %d, and then %d with %d", o.reqID, o.txnID, o.balance, again.txnID, again.balance)
	}
	if err == nil && o.answered {
		err = o.sameLegs(&again)
	}
	again.reqID, again.body = o.reqID, o.body
	*o = again
	return status.Outcome, err
}

// has tells whether a request was answered this transaction. Legs of a batch that were refused may be applied when it is made again: then
// the first that is applied is not the one that was.
func (o *order) has(txnID uint64) bool {
	if o.op != libproto.OpTransferBatch {
		return o.txnID == txnID
	}
	return slices.ContainsFunc(o.legs, func(leg libproto.LegResult) bool { return leg.TxnID == txnID })
}

// sameLegs compares the legs of a batch with what they were answered before: those that were applied are what they were; those
// that were refused may be applied now.
func (o *order) sameLegs(again *order) error {
	for leg := range o.legs {
		if was := o.legs[leg].TxnID; was != 0 && was != again.legs[leg].TxnID {
			return fmt.Errorf("request %d, leg %d was transaction %d, and then %d", o.reqID, leg, was, again.legs[leg].TxnID)
		}
	}
	return nil
}

// posted names what at most one record may have.
type posted struct {
	session, reqID uint64
	leg            uint16
}

// checkJournal compares the journal with what the tellers were told.
func checkJournal(t *testing.T, dir string, all []*teller) {
	t.Helper()
	audit, err := journal.Check(dir, journal.AuditOptions{})
	check(t, err)
	if !audit.OK {
		t.Fatalf("audit: %+v", audit.Problem)
	}
	records := make(map[posted]ledger.Record)
	check(t, journal.NewScanner(dir, 1).Scan(func(r *ledger.Record) error {
		key := posted{r.SessionID, r.ReqID, r.Leg}
		if _, twice := records[key]; twice && r.IsPosting() {
			return fmt.Errorf("session %d, req_id %d, leg %d: applied twice, again by record %d", key.session, key.reqID, key.leg, r.Seq)
		}
		records[key] = *r
		return nil
	}))
	told := 0
	for _, teller := range all {
		for _, o := range teller.orders {
			told += o.compare(t, teller.id, records)
		}
	}
	t.Logf("%s: %d of them are what the tellers were told", strings.TrimPrefix(audit.String(), "journal "), told)
	if told == 0 {
		t.Error("nothing was compared")
	}
}

// compare holds an order that was answered against the records.
func (o *order) compare(t *testing.T, session uint64, records map[posted]ledger.Record) (told int) {
	t.Helper()
	legs := o.legs
	if o.op != libproto.OpTransferBatch {
		legs = []libproto.LegResult{{TxnID: o.txnID}}
	}
	for leg, result := range legs {
		r, found := records[posted{session, o.reqID, uint16(leg)}]
		switch {
		case !o.answered:
		case result.TxnID == 0 && found:
			t.Errorf("request %d, leg %d was refused, and is record %d", o.reqID, leg, r.Seq)
		case result.TxnID != 0 && (!found || r.Seq != result.TxnID || len(legs) == 1 && r.SubjectBalance != o.balance):
			t.Errorf("request %d, leg %d was acknowledged as transaction %d with balance %d; in the journal: %v, %d with %d",
				o.reqID, leg, result.TxnID, o.balance, found, r.Seq, r.SubjectBalance)
		case result.TxnID != 0:
			told++
		}
	}
	return told
}

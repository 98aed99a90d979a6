package stats

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"tradechat.internal/ledger"
	"tradechat.internal/libproto"
	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/server/internal/role"
	"tradechat.internal/shmstore"
)

// newSegment makes a small segment with the given number of workers, and a store for each slot.
func newSegment(t *testing.T, workers int) (*shmstore.Segment, []*shmstore.Store) {
	t.Helper()
	shape := shmstore.DefaultShape()
	shape.Workers, shape.UsersMax, shape.SessionsMax, shape.RoomsMax = workers, 64, 64, 2
	shape.LogRecords, shape.RoomRingBytes, shape.MailboxBytes, shape.MessageBytesMax = 1<<10, 1<<12, 1<<12, 256
	name := fmt.Sprintf("tradechat-test-%d-%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))
	segment, err := shmstore.Create(name, shape, shmstore.Origin{Realm: [16]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = segment.Unlink(), segment.Close() })
	stores := make([]*shmstore.Store, workers+1)
	for slot := range stores {
		if stores[slot], err = segment.Bind(slot, func(int) {}); err != nil {
			t.Fatal(err)
		}
	}
	return segment, stores
}

func TestReportNamesEverything(t *testing.T) {
	segment, stores := newSegment(t, 2)
	transfer, _ := libproto.OpTransfer.Index()
	for slot, st := range stores {
		m := st.Metrics()
		m.Add(shmstore.CounterRequests, uint64(slot+1))
		m.Add(shmstore.CounterConnections, 5)
		m.Add(shmstore.CounterConnectionsClosed, 2)
		m.Add(shmstore.CounterLockWaits, 1)
		m.Add(shmstore.CounterLockWaitNs, 2000)
		m.Op(transfer)
		m.Status(int(libproto.StatusServerBusy))
		m.Observe(shmstore.LatencyTrade, time.Millisecond, 1)
	}
	user, err := stores[2].CreateUser([]byte("ann"), [32]byte{}, [32]byte{})
	if err == nil {
		_, err = stores[2].DepositTo(user, 500)
	}
	if err != nil {
		t.Fatal(err)
	}
	verified, err := stores[2].Verify()
	if err != nil {
		t.Fatal(err)
	}
	r := Make(Source{
		Segment: segment, Started: time.Now().Add(-time.Minute), Verified: verified, VerifiedAt: time.Now(),
		Processes: []Process{{Role: role.Worker, Slot: 0, PID: 7, State: serverstats.StateRunning, Restarts: 3}, {Role: role.Worker, Slot: 1, State: serverstats.StateDown}},
	})
	switch {
	case r.UptimeS < 60 || r.UptimeS > 120:
		t.Errorf("uptime %v s", r.UptimeS)
	case r.Totals["total_requests"] != 6 || r.Connections != 9 || r.Restarts != 3:
		t.Errorf("requests %d, connections %d, restarts %d", r.Totals["total_requests"], r.Connections, r.Restarts)
	case r.Ops["TRANSFER"] != 3 || r.Statuses["ERR_SERVER_BUSY"] != 3:
		t.Errorf("ops %v, statuses %v", r.Ops, r.Statuses)
	case r.Locks != serverstats.Locks{Waits: 3, WaitUs: 6}:
		t.Errorf("locks %+v", r.Locks)
	case r.LatencyUs["trade"].Count != 3 || math.Abs(r.LatencyUs["trade"].P50-1000) > 125:
		t.Errorf("latency %+v", r.LatencyUs["trade"])
	case r.Ledger.Users != 1 || !r.Verify.OK || r.Verify.Supply != 500 || r.Verify.Deposits != serverstats.SumOf(500):
		t.Errorf("ledger %+v, verify %+v", r.Ledger, r.Verify)
	case r.Workers[0].PID != 7 || r.Workers[0].Requests != 1 || r.Workers[0].HeartbeatMs < 0 || r.Workers[1].State != serverstats.StateDown:
		t.Errorf("workers %+v", r.Workers)
	}
	if len(r.Totals) != len(shmstore.Counters) || len(r.Ops) != libproto.OpcodeCount || len(r.Statuses) != libproto.StatusCount {
		t.Errorf("%d totals, %d ops, %d statuses: not the whole tables", len(r.Totals), len(r.Ops), len(r.Statuses))
	}
}

// TestLargestReportFits fills every number with one of the most digits, for the most workers.
func TestLargestReportFits(t *testing.T) {
	const workers = 64
	segment, stores := newSegment(t, workers)
	for _, st := range stores {
		m := st.Metrics()
		for c := range shmstore.Counters {
			m.Add(shmstore.Counter(c), math.MaxUint64/(workers+1))
		}
		for l := range shmstore.Latencies {
			m.Observe(shmstore.Latency(l), 123456789*time.Nanosecond, math.MaxUint64/(workers+1))
		}
	}
	problems := slices.Repeat([]string{strings.Repeat("user 4294967295 has balance -9223372036854775808 ", 4)}, 20)
	source := Source{
		Segment: segment, Verified: &shmstore.VerifyReport{
			Users: math.MaxUint32, Head: math.MaxUint64, Folded: math.MaxUint64, Supply: math.MaxUint64, Balances: ledger.TotalOf(math.MaxUint64),
			Deposits: ledger.TotalOf(math.MaxUint64), Withdrawals: ledger.TotalOf(math.MaxUint64), Problems: problems,
		},
	}
	for slot := range workers {
		source.Processes = append(source.Processes, Process{Role: role.Worker, Slot: slot, PID: math.MaxInt32, State: serverstats.StateStarting, Restarts: math.MaxInt32})
	}
	r := Make(source)
	for _, m := range []map[string]uint64{r.Ops, r.Statuses} {
		for name := range maps.Keys(m) {
			m[name] = math.MaxUint64
		}
	}
	encoded, err := Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes of %d", len(encoded), libproto.FieldLenMax)
	if !json.Valid(encoded) {
		t.Error("not JSON")
	}
}

func TestEncodeRefusesWhatDoesNotFit(t *testing.T) {
	r := serverstats.Report{Version: strings.Repeat("x", libproto.FieldLenMax)}
	if _, err := Encode(r); err == nil {
		t.Error("took a report that no frame's field can hold")
	}
}

func TestVerdictSaysWhyThereIsNone(t *testing.T) {
	segment, _ := newSegment(t, 1)
	r := Make(Source{Segment: segment, VerifyErr: errors.New("busy")})
	if r.Verify.OK || r.Verify.Error != "busy" {
		t.Errorf("%+v", r.Verify)
	}
}

func TestLineCountsTheInterval(t *testing.T) {
	segment, stores := newSegment(t, 1)
	m := stores[0].Metrics()
	work := func() {
		m.Add(shmstore.CounterRequests, 30)
		for range 20 {
			m.Status(int(libproto.StatusOK))
		}
		for range 10 {
			m.Status(int(libproto.StatusNotFound))
		}
		for _, op := range []libproto.Opcode{libproto.OpChatSend, libproto.OpDirectSend, libproto.OpDeposit} {
			i, _ := op.Index()
			m.Op(i)
		}
		m.Observe(shmstore.LatencyChat, 100*time.Microsecond, 30)
		m.Observe(shmstore.LatencyLockWait, time.Second, 30)
	}
	work()
	start := time.Now()
	ticker := NewTicker(segment, start)
	work()
	var line strings.Builder
	log := zerolog.New(&line)
	ticker.Line(log.Info(), start.Add(3*time.Second)).Msg("stats")
	var got map[string]any
	if err := json.Unmarshal([]byte(line.String()), &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"req_per_s": 10, "ok": 20, "failed": 10, "msgs": 2, "money_ops": 1} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if p99 := got["p99_us"].(float64); p99 < 88 || p99 > 113 {
		t.Errorf("p99 is %v µs, want 100 to within a bucket, lock waits not counted", p99)
	}
}

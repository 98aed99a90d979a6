package shmstore

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEveryCounterAndHistogramIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, table := range [][]CounterInfo{Counters[:], Latencies[:]} {
		for i, c := range table {
			if c.Name == "" || c.Help == "" || seen[c.Name] {
				t.Errorf("entry %d: %+v", i, c)
			}
			seen[c.Name] = true
		}
	}
}

func TestBucketsCoverAllDurationsInOrder(t *testing.T) {
	for i := 1; i < histogramBuckets; i++ {
		if end := bucketEnd(i); end <= bucketEnd(i-1) || bucketOf(end) != i || bucketOf(end+1) != min(i+1, histogramBuckets-1) {
			t.Fatalf("bucket %d ends at %d, which is of bucket %d, the next of %d", i, end, bucketOf(end), bucketOf(end+1))
		}
	}
	if bucketOf(1<<63) != histogramBuckets-1 || bucketOf(0) != 0 {
		t.Error("the ends")
	}
}

func TestQuantilesAreWithinABucket(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var h Histogram
		values := rapid.SliceOfN(rapid.Uint64Range(0, 1<<36), 1, 200).Draw(rt, "values")
		for _, v := range values {
			h[bucketOf(v)]++
		}
		slices.Sort(values)
		q := rapid.Float64Range(0.01, 1).Draw(rt, "q")
		rank := max(1, int(q*float64(len(values))+0.5))
		exact := values[rank-1]
		got := uint64(h.Quantile(q))
		if bucketOf(got) != bucketOf(exact) || got < exact {
			rt.Fatalf("quantile %v of %d values: %d, exact %d", q, len(values), got, exact)
		}
		if m := uint64(h.Max()); bucketOf(m) != bucketOf(values[len(values)-1]) {
			rt.Fatalf("max %d", m)
		}
	})
}

func TestMetricsAddUpOverSlots(t *testing.T) {
	seg := newSegment(t, smallShape())
	stores := []*Store{bind(t, seg, 0, nil), bind(t, seg, 1, nil)}
	before := seg.MetricsTotal()
	for i, st := range stores {
		m := st.Metrics()
		m.Add(CounterRequests, uint64(i+1))
		m.Add(CounterConnections, 5)
		m.Add(CounterConnectionsClosed, 2)
		m.Op(3)
		m.Status(0)
		m.Observe(LatencyTrade, time.Duration(rand.IntN(1000)), 4)
	}
	total := seg.MetricsTotal().Since(before)
	if total.Counters[CounterRequests] != 3 || total.Ops[3] != 2 || total.Statuses[0] != 2 ||
		total.Histograms[LatencyTrade].Count() != 8 || total.OpenConnections() != 6 {
		t.Errorf("%+v", total.Counters)
	}
	repair(t, stores[0], 1)
	bind(t, seg, 1, nil)
	if m := seg.MetricsOf(1); m.OpenConnections() != 0 || m.Counters[CounterConnections] != 5 {
		t.Errorf("after a restart: %d open of %d", m.OpenConnections(), m.Counters[CounterConnections])
	}
}

func TestTheHotPathsDoNotAllocate(t *testing.T) {
	st := newStore(t, smallShape())
	alice, bob := login(t, st, "alice", 1<<40), login(t, st, "bob", 1<<40)
	room := openRoom(t, st, "lobby")
	join(t, st, alice, room)
	message, dirty, legs, out := make([]byte, 64), make([]uint32, 0, 8), []Leg{{bob.User, 1}, {bob.User, 2}}, make([]LegResult, 2)
	rows, users := make([]HistoryRow, 0, 16), make([]uint32, 0, 16)
	visit, visitMail := func(Event) {}, func(Mail) {}
	reqID := uint64(0)
	for name, f := range map[string]func(){
		"transfer": func() { reqID++; _, _ = st.Transfer(alice, reqID, bob.User, 1) },
		"deposit":  func() { reqID++; _, _ = st.Deposit(alice, reqID, 1) },
		"batch":    func() { reqID++; _, _ = st.TransferBatch(alice, reqID, legs, out) },
		"refused":  func() { reqID++; _, _ = st.Transfer(alice, reqID, bob.User, 1<<60) },
		"replay":   func() { _, _ = st.Transfer(alice, 1, bob.User, 1) },
		"balance":  func() { _, _, _ = st.Balance(alice.User) },
		"history":  func() { _, _ = st.History(alice.User, 0, rows) },
		"send": func() {
			_, _, _ = st.Send(alice, room, message)
			dirty, _ = st.TakeDirty(dirty[:0])
			st.DrainRoom(room, visit)
		},
		"direct":  func() { _, _, _, _ = st.Direct(alice.User, bob.User, message); st.DrainMail(visitMail) },
		"members": func() { st.Members(room, 0, users) },
		"login":   func() { s, _ := st.OpenSession(bob.User); st.CloseSession(s) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

package shmstore

import (
	"fmt"
	"testing"
	"time"
)

// TestEveryMetricHasANameThatFits and no two have the same: they are found by it.
func TestEveryMetricHasANameThatFits(t *testing.T) {
	for _, table := range [][]CounterInfo{Counters[:], Latencies[:]} {
		seen := map[string]bool{}
		for _, info := range table {
			if info.Name == "" || len(info.Name) > metricNameBytes || info.Help == "" || seen[info.Name] {
				t.Errorf("%q", info)
			}
			seen[info.Name] = true
		}
	}
}

// TestAnotherBuildsCountersAreReadByName has a segment of a build with other tables: one more counter before all others, one that this
// build has is missing, and so for latencies.
func TestAnotherBuildsCountersAreReadByName(t *testing.T) {
	seg := newSegment(t, smallShape())
	theirCounters := append([]string{"one_more"}, tableNames(Counters[:CounterSnapshots])...)
	theirLatencies := append([]string{"other"}, tableNames(Latencies[:])...)
	seg.adoptMetrics(theirCounters, theirLatencies)
	row := &seg.metrics[0]
	row.counters[0], row.counters[1+CounterBytesIn] = 7, 1234
	row.histograms[0][3], row.histograms[1+LatencyTrade][5] = 8, 9
	// what this build sees when it attaches
	seg.nameMetrics(tableNames(Counters[:]), tableNames(Latencies[:]))
	check := func(when string) {
		t.Helper()
		s := seg.MetricsOf(0)
		if s.Counters[CounterBytesIn] != 1234 || s.Counters[CounterRequests] != 0 || s.Counters[CounterSnapshots] != 0 {
			t.Errorf("%s: counters %v", when, s.Counters)
		}
		if s.Histograms[LatencyTrade][5] != 9 || s.Histograms[LatencySession][3] != 0 {
			t.Errorf("%s: histograms differ", when)
		}
	}
	check("attached")
	seg.AdoptMetrics()
	check("adopted")
	m := Metrics{row}
	m.Add(CounterSnapshots, 3)
	m.Observe(LatencySync, time.Microsecond, 2)
	if s := seg.MetricsOf(0); s.Counters[CounterSnapshots] != 3 || s.Histograms[LatencySync].Count() != 2 {
		t.Errorf("what this build counts is not found again: %v", s.Counters)
	}
	// and back: nothing of theirs was lost
	seg.adoptMetrics(theirCounters, theirLatencies)
	if row.counters[0] != 7 || row.counters[1+CounterBytesIn] != 1234 || row.histograms[0][3] != 8 || row.histograms[1+LatencyTrade][5] != 9 {
		t.Errorf("after both: counters %v", row.counters)
	}
}

// TestAFullTableKeepsWhatThisBuildCounts: what there is no room for is given up, never what is in use.
func TestAFullTableKeepsWhatThisBuildCounts(t *testing.T) {
	seg := newSegment(t, smallShape())
	var theirs []string
	for i := range countersMax - 1 {
		theirs = append(theirs, fmt.Sprintf("theirs_%d", i))
	}
	theirs = append(theirs, Counters[CounterBytesOut].Name)
	seg.adoptMetrics(theirs, tableNames(Latencies[:]))
	seg.metrics[1].counters[countersMax-1] = 42
	seg.AdoptMetrics()
	if s := seg.MetricsOf(1); s.Counters[CounterBytesOut] != 42 {
		t.Errorf("bytes_out is %d, want 42", s.Counters[CounterBytesOut])
	}
}

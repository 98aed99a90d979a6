package shmstore

import (
	"bytes"
	"slices"
)

// The segment says what each column of a metrics row counts, so that builds with different counters read one another's:
//
//	metricNames   counters  [requests][connections] … [0][0]      latencies [session][chat] … [0]
//	                            │          │
//	metricsRow    counters  [    17   ][     3     ] … [0][0]
//
// Whoever attaches looks its own counters up by name: one that the segment does not have reads as 0. Writers use their own
// order. So the master of a build with another table moves the columns when it takes over a segment that a crash left, before any
// other process is there (AdoptMetrics). What it has no name for moves behind its own, for a build that has, as long as there is room.

// metricNames names the columns of all metrics rows, zero-padded.
type metricNames struct {
	counters  [countersMax]metricName
	latencies [latenciesMax]metricName
}

type metricName [metricNameBytes]byte

func (n *metricName) text() string { return string(bytes.TrimRight(n[:], "\x00")) }

// tableNames are the names of a table of metrics, in its order.
func tableNames(table []CounterInfo) []string {
	names := make([]string, len(table))
	for i := range table {
		names[i] = table[i].Name
	}
	return names
}

// write names the columns of a new segment.
func (n *metricNames) write(counters, latencies []string) {
	writeNames(n.counters[:], counters)
	writeNames(n.latencies[:], latencies)
}

func writeNames(columns []metricName, names []string) {
	clear(columns)
	for i, name := range names {
		copy(columns[i][:], name)
	}
}

// columnsOf finds each name's column, -1 if there is none.
func columnsOf(columns []metricName, names []string) []int {
	at := make([]int, len(names))
	for i, name := range names {
		at[i] = slices.IndexFunc(columns, func(n metricName) bool { return n.text() == name })
	}
	return at
}

// nameMetrics notes where this build's counters are.
func (seg *Segment) nameMetrics(counters, latencies []string) {
	seg.counterAt = columnsOf(seg.metricNames.counters[:], counters)
	seg.latencyAt = columnsOf(seg.metricNames.latencies[:], latencies)
}

// AdoptMetrics brings the columns of a segment that a crash left into the order of this build's tables. No other process may
// use it.
func (seg *Segment) AdoptMetrics() {
	seg.adoptMetrics(tableNames(Counters[:]), tableNames(Latencies[:]))
}

func (seg *Segment) adoptMetrics(counters, latencies []string) {
	n := seg.metricNames
	counterFrom, counterNames := arrange(n.counters[:], counters)
	latencyFrom, latencyNames := arrange(n.latencies[:], latencies)
	for i := range seg.metrics {
		row := &seg.metrics[i]
		moveColumns(row.counters[:], counterFrom)
		moveColumns(row.histograms[:], latencyFrom)
	}
	n.write(counterNames, latencyNames)
	seg.nameMetrics(counters, latencies)
}

// arrange says from which column each new one comes (-1: it is new), and the names of them all: first those wanted, then
// what else was there, as far as there is room.
func arrange(columns []metricName, wanted []string) (from []int, names []string) {
	from, names = columnsOf(columns, wanted), slices.Clone(wanted)
	for i := range columns {
		if name := columns[i].text(); name != "" && !slices.Contains(names, name) && len(names) < len(columns) {
			from, names = append(from, i), append(names, name)
		}
	}
	return from, names
}

func moveColumns[T any](columns []T, from []int) {
	before := slices.Clone(columns)
	clear(columns)
	for to, at := range from {
		if at >= 0 {
			columns[to] = before[at]
		}
	}
}

package realtest

import (
	"fmt"
	"strconv"
)

// workersUsual is the number of workers where it is not what is compared.
const workersUsual = 4

// Tests are all of them, in their order.
func Tests() []Test {
	return []Test{mixed(), contention(), payload(), workers(), locks(), durability(), pipeline(), kill()}
}

// Names are the tests' names.
func Names() (names []string) {
	for _, t := range Tests() {
		names = append(names, t.Name)
	}
	return names
}

func connections(n int, flags ...string) []string {
	return append([]string{"--connections", strconv.Itoa(n), "--threads", "2"}, flags...)
}

func mixed() Test {
	return Test{
		Name: "mixed", Title: "Mixed load",
		What:     "100 connections, half of their requests chat and half money, one request of a connection at a time (closed loop).",
		Cases:    []Case{{Label: "100 connections", Workers: workersUsual, Load: connections(100, "--mix", "mixed")}},
		Timeline: true, Panels: opPanels, Columns: 1, Findings: findMixed,
		Caption: "By kind of request.",
	}
}

func contention() Test {
	t := Test{
		Name: "contention", Title: "Contention: 200 connections against 100",
		What: "Money only. Twice the connections on the same processors and accounts: what the locks cost, and what becomes of the " +
			"throughput. Accounts are hot (Zipf 0.99), and --durability is none so that no disk hides the locks.",
		Rounds: 2, Panels: throughputLatencyLocks("connections"), Columns: 3, Findings: findContention,
		Caption: "Throughput, latency, and time spent waiting for locks.",
	}
	for i, n := range []int{100, 200} {
		t.Cases = append(t.Cases, Case{
			Place: i, Label: strconv.Itoa(n), Workers: workersUsual, Server: []string{"--durability", "none"},
			Load: connections(n, "--mix", "trade", "--skew", "0.99"),
		})
	}
	return t
}

func payload() Test {
	t := Test{
		Name: "payload", Title: "Payload: 32 B, 256 B, 1 KiB",
		What:   "Chat only, 100 connections, rooms of 10: each message is delivered ten times, so bytes count tenfold.",
		Rounds: 2, Panels: throughputAndLatency("length of a message"), Columns: 2, Findings: findRange("from 32 B to 1 KiB"),
		Caption: "Messages and heartbeats a second, and how long they took, by the length of a message.",
	}
	for i, size := range []struct {
		bytes int
		label string
	}{{32, "32 B"}, {256, "256 B"}, {1024, "1 KiB"}} {
		t.Cases = append(t.Cases, Case{
			Place: i, Label: size.label, Workers: workersUsual, Load: connections(100, "--mix", "chat", "--payload", strconv.Itoa(size.bytes)),
		})
	}
	return t
}

func workers() Test {
	t := Test{
		Name: "workers", Title: "Workers: 1, 2, 4, 8",
		What: "Mixed load on 100 connections. The load generator runs on the same processors: more workers than those that are left " +
			"share them, and are there so that one that fails takes fewer connections with it.",
		Rounds: 2, Panels: throughputAndLatency("workers"), Columns: 2, Findings: findWorkers,
		Caption: "Throughput and latency by the number of worker processes.",
	}
	for i, n := range []int{1, 2, 4, 8} {
		t.Cases = append(t.Cases, Case{Place: i, Label: strconv.Itoa(n), Workers: n, Load: connections(100, "--mix", "mixed")})
	}
	return t
}

func locks() Test {
	t := Test{
		Name: "locks", Title: "Lock granularity: one lock for all accounts, and one for each",
		What: "Before and after: --lock-mode global has one lock for the whole bank, account one for each account. 100 connections, money only, " +
			"16 requests each under way, --durability none; accounts are paid all alike, or hot (Zipf 0.99).",
		Rounds: 2, Panels: lockPanels, Columns: 3, Findings: findLocks, Timeline: true,
		Caption: "Before (one lock for all) and after (one for each account), side by side.",
	}
	for _, mode := range []string{"global", "account"} {
		for i, skew := range []struct{ flag, label string }{{"0", "uniform"}, {"0.99", "hot accounts"}} {
			t.Cases = append(t.Cases, Case{
				Group: mode, Place: i, Label: skew.label, Workers: workersUsual, Server: []string{"--lock-mode", mode, "--durability", "none"},
				Load: connections(100, "--mix", "trade", "--pipeline", "16", "--skew", skew.flag),
			})
		}
	}
	return t
}

func durability() Test {
	t := Test{
		Name: "durability", Title: "Durability: none, async, sync",
		What:   "Money only, 100 connections: what it costs that an answer waits for the disk (sync), or for nothing (none, async).",
		Rounds: 2, Panels: throughputAndLatency("--durability"), Columns: 2, Findings: findRange("from none to sync"),
		Caption: "Throughput and latency by what an answer promises.",
	}
	for i, mode := range []string{"none", "async", "sync"} {
		t.Cases = append(t.Cases, Case{
			Place: i, Label: mode, Workers: workersUsual, Server: []string{"--durability", mode}, Load: connections(100, "--mix", "trade"),
		})
	}
	return t
}

func pipeline() Test {
	t := Test{
		Name: "pipeline", Title: "Pipelines and batches",
		What: "100 connections. On the left, single requests of which each connection has so many under way; on the right, TRANSFER_BATCH " +
			"of so many transfers, one batch of a connection at a time.",
		Panels: pipelinePanels, Columns: 2, Findings: findPipeline,
		Caption: "Requests a second by the depth of the pipeline, transfers a second by the size of a batch.",
	}
	for i, depth := range []int{1, 4, 16, 64} {
		t.Cases = append(t.Cases, Case{
			Group: "depth", Place: i, Label: strconv.Itoa(depth), Workers: workersUsual,
			Load: connections(100, "--mix", "trade", "--pipeline", strconv.Itoa(depth)),
		})
	}
	for i, legs := range []int{1, 4, 16, 64, 256, 1024} {
		t.Cases = append(t.Cases, Case{
			Group: "batch", Place: i, Label: strconv.Itoa(legs), Workers: workersUsual,
			Load: connections(100, "--mix", "transfer=1", "--batch", strconv.Itoa(legs)),
		})
	}
	return t
}

func kill() Test {
	return Test{
		Name: "kill", Title: "A worker is killed",
		What: fmt.Sprintf("Mixed load on 100 connections, %d workers; at half time the one with the most connections gets SIGKILL. Its "+
			"connections come back to the others and to its successor; no message and no cent may be lost.", workersUsual),
		Cases:    []Case{{Label: "a worker killed", Workers: workersUsual, Load: connections(100, "--mix", "mixed")}},
		Kill:     true,
		Timeline: true, Panels: opPanels, Columns: 1, Findings: findKill,
		Caption: "By kind of request, over the whole run, the time without the worker included.",
	}
}

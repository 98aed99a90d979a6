package realtest

import (
	"fmt"
	"strconv"
)

// workersUsual is the number of workers where it is not what is compared.
const workersUsual = 4

// Tests are all of them, in their order.
func Tests() []Test {
	return []Test{mixed(), contention(), payload(), workers(), locks(), lockBatches(), lockHolder(), durability(), pipeline(), kill()}
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
		What: "100 connections, half of their requests chat and half money, one request of a connection at a time (closed " +
			"loop).",
		Cases:    []Case{{Label: "100 connections", Workers: workersUsual, Load: connections(100, "--mix", "mixed")}},
		Timeline: true, Panels: opPanels, Columns: 1, Findings: findMixed,
		Caption: "By kind of request.",
	}
}

func contention() Test {
	t := Test{
		Name: "contention", Title: "Contention: 200 connections against 100",
		What: "Money only. Twice the connections on the same processors and accounts: what the locks cost, and what becomes of " +
			"the " +
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
			Place: i, Label: size.label, Workers: workersUsual, Load: connections(100, "--mix", "chat", "--payload",
				strconv.Itoa(size.bytes)),
		})
	}
	return t
}

func workers() Test {
	t := Test{
		Name: "workers", Title: "Workers: 1, 2, 4, 8",
		What: "Mixed load on 100 connections. The load generator runs on the same processors: more workers than those that are " +
			"left " +
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
	skews := []string{"0", "0.99"}
	return Test{
		Name: "locks", Title: "Lock granularity: one lock for all accounts, and one for each",
		What: "Before and after: --lock-mode global has one lock for the whole bank, account one for each account. 100 " +
			"connections, money only, " +
			"16 requests each under way, --durability none; accounts are paid all alike, or hot (Zipf 0.99).",
		Rounds: 2, Panels: lockPanels("accounts", "requests a second", "req_per_s"), Columns: 3, Findings: findLocks,
		Timeline: true,
		Cases: lockModes([]string{"uniform", "hot accounts"}, func(i int) []string {
			return connections(100, "--mix", "trade", "--pipeline", "16", "--skew", skews[i])
		}),
		Caption: "Before (one lock for all) and after (one for each account), side by side.",
	}
}

// lockModes are the cases of a test of both modes, with the labels and load flags of each place.
func lockModes(places []string, load func(place int) []string) (cases []Case) {
	for _, mode := range []string{"global", "account"} {
		for i, label := range places {
			cases = append(cases, Case{
				Group: mode, Place: i, Label: label, Workers: workersUsual, Load: load(i),
				Server: []string{"--lock-mode", mode, "--durability", "none"},
			})
		}
	}
	return cases
}

func lockBatches() Test {
	sizes := []string{"16", "256"}
	return Test{
		Name: "lock-batches", Title: "Lock granularity: batches",
		What: "--lock-mode global against account where a request holds locks for longer: 100 connections, TRANSFER_BATCH of 16 " +
			"and 256 transfers, one batch of a connection at a time, --durability none.",
		Rounds: 2, Panels: lockPanels("transfers of a batch", "transfers a second", "legs_per_s"), Columns: 3, Findings: findLocks,
		Cases: lockModes(sizes, func(i int) []string {
			return connections(100, "--mix", "transfer=1", "--batch", sizes[i])
		}),
		Caption: "Before (one lock for all) and after (one for each account), side by side.",
	}
}

func lockHolder() Test {
	return Test{
		Name: "lock-holder", Title: "Lock granularity: a holder that is stopped",
		What: fmt.Sprintf("--lock-mode global against account where a holder loses its processor: every %v one of the %d workers is "+
			"stopped for %v while it holds an account. Money at 4,000 requests a second on 200 connections, whatever becomes of the "+
			"answers (open loop), none of it about the account that is held; --durability none. The stopped worker's own connections wait "+
			"in both modes.", holdEvery, workersUsual, holdLength),
		Rounds: 2, Hold: true, Panels: holderPanels, Columns: 3, Findings: findHolder, Timeline: true,
		Cases: lockModes([]string{"a holder stopped"}, func(int) []string {
			return connections(200, "--mix", "trade", "--rate", "4000", "--pipeline", "16")
		}),
		Caption: "One lock for all, and one for each account: everybody waits, or those who touch what is held.",
	}
}

func durability() Test {
	t := Test{
		Name: "durability", Title: "Durability: none, async, sync",
		What: "Money only, 100 connections: what it costs that an answer waits for the disk (sync), or for nothing (none, " +
			"async).",
		Rounds: 2, Panels: throughputAndLatency("--durability"), Columns: 2, Findings: findRange("from none to sync"),
		Caption: "Throughput and latency by what an answer promises.",
	}
	for i, mode := range []string{"none", "async", "sync"} {
		t.Cases = append(t.Cases, Case{
			Place: i, Label: mode, Workers: workersUsual, Server: []string{"--durability", mode}, Load: connections(100,
				"--mix", "trade"),
		})
	}
	return t
}

func pipeline() Test {
	t := Test{
		Name: "pipeline", Title: "Pipelines and batches",
		What: "100 connections. On the left, single requests of which each connection has so many under way; on the right, " +
			"TRANSFER_BATCH " +
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
		What: fmt.Sprintf("Mixed load on 100 connections, %d workers; at half time the one with the most connections gets "+
			"SIGKILL. Its "+
			"connections come back to the others and to its successor; no message and no cent may be lost.", workersUsual),
		Cases:    []Case{{Label: "a worker killed", Workers: workersUsual, Load: connections(100, "--mix", "mixed")}},
		Kill:     true,
		Timeline: true, Panels: opPanels, Columns: 1, Findings: findKill,
		Caption: "By kind of request, over the whole run, the time without the worker included.",
	}
}

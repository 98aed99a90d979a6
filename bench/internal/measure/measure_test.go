package measure

import (
	"errors"
	"testing"
	"time"

	"tradechat.internal/testkit/procfs"
	"tradechat.internal/testkit/sample"
)

func TestDefaultsAreValid(t *testing.T) {
	for name, err := range map[string]error{
		"echo":        DefaultEchoOptions().Validate(),
		"idle-memory": within("connections", DefaultIdleMemoryOptions().Connections, 1, ConnectionsMax),
		"respawn":     DefaultRespawnOptions().Validate(),
		"allocs":      DefaultAllocsOptions().Validate(),
		"go-bench":    DefaultGoBenchOptions().Validate(),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSettingsOutsideTheirLimits(t *testing.T) {
	for name, err := range map[string]error{
		"no rounds":         EchoOptions{Workers: 1, Connections: 2, Duration: time.Second}.Validate(),
		"one trader":        EchoOptions{Workers: 1, Connections: 1, Rounds: 1, Duration: time.Second}.Validate(),
		"no time":           EchoOptions{Workers: 1, Connections: 2, Rounds: 1}.Validate(),
		"one worker":        RespawnOptions{Workers: 1, Rounds: 1, Connections: 1}.Validate(),
		"no window":         AllocsOptions{Connections: 2, Duration: time.Second}.Validate(),
		"no connections":    IdleMemoryOptions{Workers: 1}.Validate(),
		"a negative number": GoBenchOptions{Time: time.Second, Count: -1}.Validate(),
	} {
		if !errors.Is(err, ErrOption) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := enoughDescriptors(1 << 40); !errors.Is(err, ErrDescriptors) {
		t.Errorf("more connections than descriptors: %v", err)
	}
}

func TestEchoFigureIsTheMedianOfTheRatios(t *testing.T) {
	pair := func(own, echo float64) EchoPair {
		return EchoPair{Tradechatd: EchoRound{CPUUsPerRequest: own}, Echo: EchoRound{CPUUsPerRequest: echo}}
	}
	r := EchoResult{Workers: 1, Connections: 100, Durability: "none", Pairs: []EchoPair{pair(6, 5), pair(12, 10), pair(5, 5)}, Ratio: sample.Of([]float64{1.2, 1.2, 1})}
	f := r.Figures()[0]
	if f.Value != 1.2 || !f.Met || f.Detail != "--durability none; 6.00 µs against 5.00 µs, 3 rounds each in turns" {
		t.Errorf("%+v", f)
	}
}

func TestIdleMemoryCountsAllProcesses(t *testing.T) {
	before := []procfs.Memory{{AnonBytes: 1000, FileBytes: 500}, {AnonBytes: 2000, ShmemBytes: 10}}
	with := []procfs.Memory{{AnonBytes: 1000, FileBytes: 600}, {AnonBytes: 3000, ShmemBytes: 110}}
	r := idleMemoryResult(before, with, 10)
	if r.AnonBytesEach != 100 || r.PrivateBytesEach != 110 || r.ShmemBytesEach != 10 {
		t.Errorf("%+v", r)
	}
	if len(r.Processes) != 2 || r.Processes[0].Role != "master" || r.Processes[1].Role != "worker 0" {
		t.Errorf("%+v", r.Processes)
	}
	if f := r.Figures()[0]; f.Value != 110.0/1024 || f.Unit != "KiB" {
		t.Errorf("%+v", f)
	}
}

func TestQuietBeginsAnewWithEveryChange(t *testing.T) {
	var q quiet
	begin := time.Unix(1000, 0)
	for i, c := range []struct {
		bytes, quietS int64
	}{
		{1 << 20, 0}, {1<<20 + quietBytes, 1}, {1 << 20, 2}, // within the range
		{1<<20 - 1, 0}, {1<<20 - 1, 1}, // below it
		{1<<20 + quietBytes, 0}, {1<<20 + quietBytes, 1}, {1 << 20, 2}, {1 << 20, 3}, // above it
	} {
		if got := q.observe(c.bytes, begin.Add(time.Duration(i)*time.Second)); got != time.Duration(c.quietS)*time.Second {
			t.Errorf("step %d: quiet for %v, want %d s", i, got, c.quietS)
		}
	}
}

func TestSlowestKillCounts(t *testing.T) {
	r := RespawnResult{Rounds: []RespawnRound{
		{Opened: 8, Queued: 3, FirstMs: 10, LastMs: 12}, {Opened: 8, Queued: 4, FirstMs: 120, LastMs: 130}, {Opened: 8, Queued: 1, FirstMs: 20, LastMs: 20},
	}}
	r.sumUp()
	f := r.Figures()[0]
	if f.Value != 120 || f.Met || f.Measured() != "120 ms (10 … 120)" {
		t.Errorf("%+v: %s", f, f.Measured())
	}
	if want := "the slowest of 3 kills, their median is 20.0 ms; all of 24 connections were served, the last 130.0 ms after the kill"; f.Detail != want {
		t.Errorf("%q, want %q", f.Detail, want)
	}
}

const gcLine = "gc 7 @1.234s 0%: 0.018+0.41+0.003 ms clock, 0.036+0.10/0.32/0.10+0.006 ms cpu, 4->5->1 MB, 16 MB goal, 0 MB stacks, 0 MB globals, 2 P\n"

func TestCollections(t *testing.T) {
	log := `{"level":"info","message":"gc is not at the begin of this line"}` + "\n" + gcLine + gcLine
	got, err := collections(log)
	if err != nil || len(got) != 2 || got[0] != (collection{freedBytes: 4 << 20, roomBytes: 16 << 20}) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := collections(gcLine + "gc of another form\n"); err == nil {
		t.Error("a line that is not understood is passed over")
	}
}

func TestAllocsBound(t *testing.T) {
	const requests = 1 << 20
	for _, c := range []struct {
		name           string
		grown          int64
		before, during string
		wantBytes      int64
		wantObjects    float64
	}{
		{"nothing", 0, "", "", 0, 0},
		{"memory given back counts for nothing", -4096, "", "", 0, 0},
		{"new memory, less than an object each", 3 << 20, "", "", 3 << 20, 0},
		{"new memory, an object each", 8 << 20, "", "", 8 << 20, 1},
		{"an earlier collection may have been filled again", 0, gcLine, "", 16 << 20, 2},
		{"collections", 8192, gcLine, gcLine + gcLine, 8192 + 2*4<<20 + 16<<20, 3},
	} {
		r, err := allocsBound(requests, c.grown, c.before, c.during)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		f := r.Figures()[0]
		if r.BytesPerRequest != float64(c.wantBytes)/requests || f.Value != c.wantObjects || f.Met != (c.wantObjects == 0) {
			t.Errorf("%s: %+v, %+v; want %d bytes in all", c.name, r, f, c.wantBytes)
		}
	}
}

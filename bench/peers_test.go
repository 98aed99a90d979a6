package bench_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradechat.internal/testkit/programs"
)

// peersReport is the JSON of tradechat-bench peers.
type peersReport struct {
	Details struct {
		Peers struct {
			Classes []struct {
				Key      string
				RatePerS float64 `json:"rate_per_s"`
				Rows     []peersRow
			}
			Skipped []struct{ Name, Why string }
		}
	}
}

type peersRow struct {
	Name        string
	Rounds      []struct{ Count uint64 }
	Latencies   []struct{ Answers int }
	PerS        struct{ Median float64 } `json:"per_s"`
	CPUUs       struct{ Median float64 } `json:"cpu_us"`
	ClientCPUUs struct{ Median float64 } `json:"client_cpu_us"`
	P50Us       struct{ Median float64 } `json:"p50_us"`
	PerSRatio   struct{ Count int }      `json:"per_s_ratio"`
	MemoryBytes int64                    `json:"memory_bytes"`
}

// Whatever is installed is compared, and each of the rivals agrees with what was sent to it; the rest is skipped. Echo and NATS are
// always there.
func TestPeersCompares(t *testing.T) {
	r := programs.New(t, "tradechat-bench", "peers", "--quick", "--json", "-")
	t.Parallel()
	if err := r.Cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, r.Output())
	}
	var got peersReport
	if err := json.Unmarshal(r.Stdout.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, r.Output())
	}
	rows := make(map[string]int)
	for _, class := range got.Details.Peers.Classes {
		if class.RatePerS <= 0 || !strings.HasPrefix(class.Rows[0].Name, "tradechat") {
			t.Errorf("%s: %v/s, first is %s", class.Key, class.RatePerS, class.Rows[0].Name)
		}
		for _, row := range class.Rows {
			rows[class.Key]++
			checkPeersRow(t, class.Key, row)
		}
	}
	if rows["fan-out"] != 2 || rows["in-memory"] < 3 {
		t.Errorf("contenders: %v", rows)
	}
	// With nothing skipped there are 14; a class without a rival is left out with tradechat in it.
	if total := rows["on-disk"] + rows["soon-on-disk"] + rows["in-memory"] + rows["fan-out"]; total+len(got.Details.Peers.Skipped) < 12 || total > 14 {
		t.Errorf("contenders: %v, skipped: %v", rows, got.Details.Peers.Skipped)
	}
	r.WantNothingLeft(t)
}

func checkPeersRow(t *testing.T, class string, row peersRow) {
	t.Helper()
	if len(row.Rounds) != 2 || len(row.Latencies) != 2 || row.PerSRatio.Count != 2 {
		t.Errorf("%s, %s: not two rounds: %+v", class, row.Name, row)
		return
	}
	if row.Rounds[0].Count == 0 || row.Latencies[0].Answers == 0 || row.PerS.Median <= 0 || row.CPUUs.Median <= 0 ||
		row.ClientCPUUs.Median <= 0 || row.P50Us.Median <= 0 || row.MemoryBytes <= 0 {
		t.Errorf("%s, %s: %+v", class, row.Name, row)
	}
}

// What was started is ended before its folder is removed, while it starts as well as under load.
func TestPeersThatIsInterruptedLeavesNothing(t *testing.T) {
	for _, moment := range []string{"starting PostgreSQL", "round 2 of"} {
		t.Run(moment, func(t *testing.T) {
			r := programs.New(t, "tradechat-bench", "peers", "--rounds", "100", "--duration", "100ms", "--connections", "4")
			t.Parallel()
			r.StartUntil(t, &r.Cmd.Stderr, moment)
			r.WantInterruptible(t)
		})
	}
}

func TestPeersSkipsWhatIsNotInstalled(t *testing.T) {
	r := programs.New(t, "tradechat-bench", "peers", "--quick", "--only", "redis,echo")
	markdown, table := filepath.Join(t.TempDir(), "peers.md"), filepath.Join(t.TempDir(), "peers.csv")
	r.Cmd.Args = append(r.Cmd.Args, "--markdown", markdown, "--csv", table)
	r.Cmd.Env = append(r.Cmd.Env, "PATH="+t.TempDir())
	t.Parallel()
	if err := r.Cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, r.Output())
	}
	for _, part := range []string{"requests that wait for no disk: 8 connections", "\na bare gnet echo ", "\nskipped\n", "redis-server is not installed", "gcc is not installed"} {
		if !strings.Contains(r.Stdout.String(), part) {
			t.Errorf("no %q in:\n%s", part, r.Output())
		}
	}
	text, err := os.ReadFile(markdown)
	if err != nil || !strings.Contains(string(text), "\n| a bare gnet echo | ") {
		t.Errorf("%v, %s", err, text)
	}
	file, err := os.Open(table)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if lines, err := csv.NewReader(file).ReadAll(); err != nil || len(lines) != 3 {
		t.Errorf("CSV: %v, %v; want a header, tradechat and the gnet echo", lines, err)
	}
	r.WantNothingLeft(t)
}

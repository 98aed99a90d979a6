package bench_test

import (
	"encoding/json"
	"strings"
	"testing"

	"tradechat.internal/testkit/programs"
)

// report is the JSON of tradechat-bench.
type report struct {
	Environment struct{ Machine, Kernel, Go, Date string }
	Figures     []struct {
		What, Unit, Detail string
		Value              float64
	}
	Details map[string]map[string]any
}

// measurementRuns are all measurements with sizes that show that they work, and what must be in their details.
var measurementRuns = []struct {
	args    string
	figures int
	details []string
}{
	{"allocs --connections 4 --depth 8 --duration 200ms", 1, []string{"requests", "collections", "bytes_per_request"}},
	{"echo --connections 8 --rounds 2 --duration 100ms --workers 2", 1, []string{"pairs", "ratio", "request_bytes"}},
	{"idle-memory --connections 200 --workers 2", 1, []string{"processes", "anon_bytes_each", "shmem_bytes_each"}},
	{"respawn --rounds 2 --connections 40", 1, []string{"rounds", "first_ms", "running_ms"}},
	{"durability --connections 10 --rounds 1 --duration 200ms", 3, []string{"ratio", "fdatasync_us", "rounds"}},
	{"warm-start --users 50 --connections 10 --rounds 2 --duration 100ms", 1, []string{"ready_ms", "records"}},
	{"go-bench --source .. --benchtime 5ms --count 1 --replay-records 30000 --replay-accounts 1000", 6, []string{"benchmarks"}},
}

// They measure real servers; how fast those are is not looked at here.
func TestEveryMeasurementWorks(t *testing.T) {
	for _, c := range measurementRuns {
		name, _, _ := strings.Cut(c.args, " ")
		t.Run(name, func(t *testing.T) {
			r := programs.New(t, "tradechat-bench", append(strings.Fields(c.args), "--json", "-")...)
			t.Parallel()
			if err := r.Cmd.Run(); err != nil {
				t.Fatalf("%s: %v\n%s", c.args, err, r.Output())
			}
			var got report
			if err := json.Unmarshal(r.Stdout.Bytes(), &got); err != nil {
				t.Fatalf("%v\n%s", err, r.Output())
			}
			checkReport(t, got, name, c.figures, c.details)
			r.WantNothingLeft(t)
		})
	}
}

func checkReport(t *testing.T, got report, name string, figures int, details []string) {
	t.Helper()
	if got.Environment.Machine == "" || got.Environment.Kernel == "" || got.Environment.Go == "" || got.Environment.Date == "" {
		t.Errorf("environment: %+v", got.Environment)
	}
	if len(got.Figures) != figures {
		t.Errorf("%d figures, want %d: %+v", len(got.Figures), figures, got.Figures)
	}
	for _, f := range got.Figures {
		if f.What == "" || (f.Value <= 0 && name != "allocs" && name != "durability" && name != "attacks") || f.Value < 0 && name != "durability" {
			t.Errorf("figure %+v", f)
		}
		if name == "attacks" && f.Unit == "" && f.Value != 0 {
			t.Errorf("what must not happen under attack, and did: %+v", f)
		}
	}
	for _, key := range details {
		if _, there := got.Details[name][key]; !there {
			t.Errorf("no %s in the details of %s: %v", key, name, got.Details[name])
		}
	}
}

func TestFiguresPutsThemTogether(t *testing.T) {
	r := programs.New(t, "tradechat-bench", "figures", "--quick", "--skip", "idle-memory,respawn,durability,warm-start", "--source", "..")
	t.Parallel()
	if err := r.Cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, r.Output())
	}
	for _, row := range []string{"libproto: encode", "libproto: decode", "shmstore: one transfer", "shmstore: transfers of two", "server: heap allocations", "server CPU per TRANSFER"} {
		if !strings.Contains(r.Stdout.String(), "\n"+row) {
			t.Errorf("no row %q in:\n%s", row, r.Output())
		}
	}
	r.WantNothingLeft(t)
}

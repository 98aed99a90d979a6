package bench_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tradechat.internal/testkit/programs"
)

// Two of the tests from the command line to the page: one that compares cases, one that kills a worker.
func TestRealTestQuick(t *testing.T) {
	out := filepath.Join(t.TempDir(), "results")
	r := programs.New(t, "tradechat-bench", "real-test", "--quick", "--only", "kill,payload", "--out", out)
	t.Parallel()
	if err := r.Cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, r.Output())
	}
	r.WantNothingLeft(t)
	for _, name := range []string{"payload", "payload-percentiles", "kill", "kill-timeline", "kill-percentiles"} {
		for _, extension := range []string{".csv", ".svg", ".png", ".gp"} {
			if info, err := os.Stat(filepath.Join(out, name+extension)); err != nil || info.Size() == 0 {
				t.Errorf("%s%s: %v", name, extension, err)
			}
		}
	}
	checkPayload(t, out)
	checkKill(t, out)
	drawWithGnuplot(t, out)
	report := programs.New(t, "tradechat-bench", "report", out)
	if err := report.Cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, report.Output())
	}
	for _, name := range []string{"report.html", "results.md"} {
		if text, err := os.ReadFile(filepath.Join(out, name)); err != nil || !strings.Contains(string(text), "A worker is killed") {
			t.Errorf("%s: %v, %d bytes", name, err, len(text))
		}
	}
}

// realTest is what is read of a test's JSON.
type realTest struct {
	Environment struct{ Machine, Kernel, Commit string }
	Cases       []struct {
		Label       string
		LoadFlags   []string `json:"load_flags"`
		ServerFlags []string `json:"server_flags"`
		PerSecond   struct {
			Median float64
		} `json:"req_per_s"`
		LatencyUs struct{ P50, P99 float64 } `json:"latency_us"`
		Failed    uint64
		Runs      []struct {
			Timeline []struct{ Second, OK float64 }
			Kill     *struct {
				AtS         float64 `json:"at_s"`
				ReplacedS   float64 `json:"replaced_s"`
				Connections int
			}
		}
	}
	RunS float64 `json:"run_s"`
}

func readRealTest(t *testing.T, folder, name string) (r realTest) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name+".json"))
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil || r.Environment.Machine == "" || r.Environment.Kernel == "" || r.Environment.Commit == "" {
		t.Fatalf("%s: %v, environment %+v", name, err, r.Environment)
	}
	return r
}

func checkPayload(t *testing.T, folder string) {
	t.Helper()
	r := readRealTest(t, folder, "payload")
	if len(r.Cases) != 3 {
		t.Fatalf("%d cases", len(r.Cases))
	}
	for i, payload := range []string{"32", "256", "1024"} {
		c := r.Cases[i]
		if !strings.Contains(strings.Join(c.LoadFlags, " "), "--payload "+payload) || len(c.ServerFlags) == 0 ||
			c.PerSecond.Median <= 0 ||
			c.LatencyUs.P50 <= 0 || c.LatencyUs.P99 < c.LatencyUs.P50 {
			t.Errorf("case %s: %+v", payload, c)
		}
	}
}

func checkKill(t *testing.T, folder string) {
	t.Helper()
	r := readRealTest(t, folder, "kill")
	run := r.Cases[0].Runs[0]
	if k := run.Kill; k == nil || k.AtS <= 0 || k.AtS >= r.RunS || k.ReplacedS <= k.AtS || k.Connections < 1 {
		t.Errorf("kill: %+v in a run of %v s", run.Kill, r.RunS)
	}
	if len(run.Timeline) < 10 {
		t.Errorf("a timeline of %d intervals", len(run.Timeline))
	}
}

// drawWithGnuplot runs every script, which must say nothing.
func drawWithGnuplot(t *testing.T, folder string) {
	t.Helper()
	gnuplot, err := exec.LookPath("gnuplot")
	if err != nil {
		t.Log("gnuplot is not installed: its scripts are not run")
		return
	}
	scripts, err := fs.Glob(os.DirFS(folder), "*.gp")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%v, %v", scripts, err)
	}
	for _, script := range scripts {
		cmd := exec.CommandContext(t.Context(), gnuplot, script)
		cmd.Dir = folder
		if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
			t.Errorf("%s: %v\n%s", script, err, said)
		}
	}
}

func TestRealTestThatIsInterruptedLeavesNothing(t *testing.T) {
	out := filepath.Join(t.TempDir(), "results")
	r := programs.New(t, "tradechat-bench", "real-test", "--only", "mixed", "--out", out)
	t.Parallel()
	r.Start(t)
	awaitFolder(t, r, "tradechat-load-")
	r.WantInterruptible(t)
}

// awaitFolder returns when something of that name is in the run's TMPDIR: the load is being started.
func awaitFolder(t *testing.T, r *programs.Run, prefix string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if found, err := fs.Glob(os.DirFS(r.Tmp), prefix+"*"); err != nil {
			t.Fatal(err)
		} else if len(found) > 0 {
			return
		}
	}
	t.Fatalf("no %s* after a minute\n%s", prefix, r.Output())
}

package proof_test

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"tradechat.internal/testkit/programs"
)

// certificate is what these tests read of a drill's JSON.
type certificate struct {
	OK    bool `json:"ok"`
	Kills int  `json:"kills"`
	Done  []struct {
		Fault string `json:"fault"`
		Times int    `json:"times"`
	} `json:"done"`
	Money struct {
		Applied    int `json:"applied"`
		Unresolved int `json:"unresolved"`
	} `json:"money"`
	Chat struct {
		Delivered int `json:"delivered"`
	} `json:"chat"`
	Checks []struct {
		What string `json:"what"`
		OK   bool   `json:"ok"`
	} `json:"checks"`
}

func TestDrillHolds(t *testing.T) {
	r := programs.New(t, "tradechat-proof", "chaos", "--kills", "10", "--seed", "2", "--duration", "1m", "--workers", "3", "--clients", "12", "--json", "-")
	t.Parallel()
	if err := r.Cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, r.Output())
	}
	var c certificate
	if err := json.Unmarshal(r.Stdout.Bytes(), &c); err != nil {
		t.Fatalf("%v\n%s", err, r.Output())
	}
	if !c.OK || c.Kills < 10 || c.Money.Applied == 0 || c.Money.Unresolved != 0 || c.Chat.Delivered == 0 || len(c.Checks) < 15 {
		t.Errorf("%+v\n%s", c, r.Output())
	}
	for _, check := range c.Checks {
		if !check.OK {
			t.Errorf("%s: FAILED", check.What)
		}
	}
	drilled(t, r.Stderr.String()).wantGone(t)
	r.WantNothingLeft(t)
}

// Only what was asked for is done, and the text says what.
func TestDrillDoesWhatItWasAskedFor(t *testing.T) {
	r := programs.New(t, "tradechat-proof", "chaos", "--kills", "0", "--duration", "3s", "--workers", "2", "--clients", "6", "--seed", "7", "--faults", "cut,drop")
	t.Parallel()
	if err := r.Cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, r.Output())
	}
	out := r.Stdout.String()
	for _, part := range []string{
		"Certificate of a drill: tradechat ", "What was done to it\n", "  cut  ", "  drop  ", "0 kills; ", "the server was started 1 times",
		"What held\n  OK ", "one order of all operations explains every balance", "Everything held. Again: tradechat-proof chaos --kills 0 --seed 7",
		" --faults cut,drop\n",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in the output", part)
		}
	}
	if strings.Contains(out, "kill-worker") || strings.Contains(out, "FAILED") {
		t.Error("more was done than was asked for, or something failed")
	}
	if t.Failed() {
		t.Log(r.Output())
	}
	r.WantNothingLeft(t)
}

func TestDrillThatIsInterruptedLeavesNothing(t *testing.T) {
	r := programs.New(t, "tradechat-proof", "chaos", "--kills", "100000", "--workers", "2", "--clients", "6")
	t.Parallel()
	text := r.StartUntil(t, &r.Cmd.Stderr, " kills  ")
	r.WantInterruptible(t)
	drilled(t, text).wantGone(t)
}

var drillServer = regexp.MustCompile(`master (\d+), segment (\S+)`)

// drilled is what a drill said that it has started.
func drilled(t *testing.T, output string) started {
	t.Helper()
	found := drillServer.FindStringSubmatch(output)
	if found == nil {
		t.Fatalf("it does not say what it has started:\n%s", output)
	}
	pid, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return started{segment: found[2], pids: []int{pid}}
}

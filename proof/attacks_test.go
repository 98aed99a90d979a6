package proof_test

import (
	"encoding/json"
	"testing"

	"tradechat.internal/testkit/programs"
)

// Two attacks at sizes that show that they work; what they cost is not looked at here.
func TestAttacksQuick(t *testing.T) {
	r := programs.New(t, "tradechat-proof", "attacks", "--quick", "--attack", "silent,checksum-storm", "--json", "-")
	if err := r.Cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, r.Output())
	}
	var got struct {
		Figures []struct {
			What string `json:"what"`
		} `json:"figures"`
		Details map[string]map[string]any `json:"details"`
	}
	if err := json.Unmarshal(r.Stdout.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, r.Output())
	}
	if len(got.Figures) != 3 || got.Details["attacks"]["options"] == nil || got.Details["attacks"]["attacks"] == nil {
		t.Errorf("%d figures: %s", len(got.Figures), r.Output())
	}
	r.WantNothingLeft(t)
}

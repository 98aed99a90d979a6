package cli

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"tradechat.internal/client"
	"tradechat.internal/liblog/program"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

func TestStats(t *testing.T) {
	const counters = `{"version":"tradechatd/1","uptime_s":12.5,"workers":[
		{"slot":0,"pid":1234,"state":"running","connections":5},
		{"slot":1,"pid":99,"state":"down","connections":0,"note":"new"}],
		"totals":{"requests":123456789012345678,"errors":0},
		"ops":{"A":1,"B":0,"C":0,"D":0,"E":0,"F":0,"G":0,"H":0,"I":0,"J":0,"K":0,"L":0,"M":7},
		"latency_us":{"chat":{"p50":1.5,"max":100},"trade":{"p50":2,"max":3,"count":4}},
		"verify":{"ok":true,"problems":["a \u001b[2J","b"],"deep":{"x":{"y":[1]}},"none":null},
		"list":[1,"two"],"empty":{},"nothing":[]}`
	b := newBed(t)
	data := t.TempDir()
	admin := peertest.ListenUnix(t, filepath.Join(data, client.AdminSocketName))
	admin.Answer(libproto.OpServerStats, libproto.ServerStatsResponse{JSON: []byte(counters)})
	b.wantRun(`version   tradechatd/1
uptime_s  12.5
empty     {}
nothing   []

workers
  SLOT   PID  STATE    CONNECTIONS  NOTE
     0  1234  running            5
     1    99  down               0  new

totals
  requests  123456789012345678
  errors                     0

ops
  A  1
  M  7
  (11 more at 0)

latency_us
         P50  MAX  COUNT
  chat   1.5  100
  trade    2    3      4

verify
  ok        true
  problems  [a \x1b[2J b]
  deep      {x={y=[1]}}
  none

list
  1
  two
`, "admin", "stats", "--data", data)
	got := b.run("admin", "stats", "--data", data, "--json")
	want := strings.NewReplacer("\n", "", "\t", "").Replace(counters) + "\n"
	if got != (outcome{out: want}) {
		t.Errorf("got %+v, want %s", got, want)
	}
	admin.Answer(libproto.OpServerStats, libproto.ServerStatsResponse{JSON: []byte("[1]")})
	b.wantFailure(program.ExitConnection, []string{"not a JSON object"}, "admin", "stats", "--data", data)
}

// FuzzStats shows whatever a server says: it must come out as text without control characters, or be refused.
func FuzzStats(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"a":1,"b":{"c":2},"d":[{"e":3},{"f":null}],"g":[1,[2]]}`, `{"a":{"b":{"c":1},"d":{"c":"\u001b"}}}`, `[]`, `{"a":`, `{"a":{}}{`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := parseStats(raw)
		if err != nil {
			if !errors.Is(err, client.ErrProtocol) {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		var out bytes.Buffer
		s.writeText(&out)
		for line := range strings.Lines(out.String()) {
			if text := strings.TrimSuffix(line, "\n"); printable(text) != text {
				t.Errorf("%q is shown as %q", raw, text)
			}
		}
	})
}

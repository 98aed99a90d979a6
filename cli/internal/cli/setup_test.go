package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

const (
	alice    = "alice"
	password = "correct horse"
)

// timeNs is a time of the wire, timeText the same in JSON.
const (
	timeNs   = 1_700_000_000_123_456_789
	timeText = "2023-11-14T22:13:20.123456789Z"
)

// bed is a peer and the environment in which command lines are run against it.
type bed struct {
	t    *testing.T
	peer *peertest.Peer
	env  map[string]string
}

// newBed has a user alice, who is the user of the environment.
func newBed(t *testing.T) *bed {
	t.Setenv("TZ", "UTC")
	p := peertest.Listen(t)
	p.AddUser(alice, password)
	return &bed{t: t, peer: p, env: map[string]string{
		"TRADECHAT_SERVER":   p.Addr,
		"TRADECHAT_USER":     alice,
		"TRADECHAT_PASSWORD": password,
	}}
}

// outcome is what a command line left behind.
type outcome struct {
	code     int
	out, err string
}

func (b *bed) run(args ...string) outcome {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 2*peertest.Patience)
	defer cancel()
	return b.runUntil(ctx, args...)
}

func (b *bed) runUntil(ctx context.Context, args ...string) outcome {
	var out, errs bytes.Buffer
	code := Run(ctx, args, Streams{
		In:     strings.NewReader(""),
		Out:    &out,
		Err:    &errs,
		Getenv: func(name string) string { return b.env[name] },
	})
	return outcome{code, out.String(), errs.String()}
}

// wantRun runs a command line that must succeed with exactly this output.
func (b *bed) wantRun(want string, args ...string) {
	b.t.Helper()
	if got := b.run(args...); got != (outcome{out: want}) {
		b.t.Errorf("%q:\ngot  %+v\nwant %+v", args, got, outcome{out: want})
	}
}

// wantFailure runs a command line that must fail with this code, and say all of this on stderr and nothing on stdout.
func (b *bed) wantFailure(code int, says []string, args ...string) {
	b.t.Helper()
	got := b.run(args...)
	if got.code != code || got.out != "" {
		b.t.Errorf("%q: code %d and %q on stdout, want code %d and nothing", args, got.code, got.out, code)
	}
	for _, part := range says {
		if !strings.Contains(got.err, part) {
			b.t.Errorf("%q: stderr does not say %q:\n%s", args, part, got.err)
		}
	}
}

// expect lets op be answered with body, and checks that what is asked is want.
func (b *bed) expect(op libproto.Opcode, want, body libproto.Body) {
	b.peer.Handle(op, func(c *peertest.Conn, f libproto.Frame) {
		if asked := string(want.AppendTo(nil)); asked != string(f.Body) {
			b.t.Errorf("%v: asked %x, want %x", op, f.Body, asked)
		}
		c.Reply(f, body)
	})
}

func (b *bed) refuse(op libproto.Opcode, status libproto.Status, detail string) {
	b.peer.Handle(op, func(c *peertest.Conn, f libproto.Frame) { c.Refuse(f, status, 0, detail) })
}

func parse[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

package client_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

const (
	alice    = "alice"
	password = "correct horse"
)

// testContext ends before the test binary's own deadline does, so that a hang is reported by the call that hangs.
func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*peertest.Patience)
	t.Cleanup(cancel)
	return ctx
}

// noReturn makes the first loss of the connection the end.
func noReturn(cfg *client.Config) { cfg.ReconnectFor = 0 }

func dial(t testing.TB, p *peertest.Peer, changes ...func(*client.Config)) *client.Client {
	t.Helper()
	cfg := client.DefaultConfig()
	cfg.Address = p.Addr
	for _, change := range changes {
		change(&cfg)
	}
	c, err := client.Dial(testContext(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// logIn is alice on a connection of her own.
func logIn(t testing.TB, p *peertest.Peer, changes ...func(*client.Config)) (*client.Client, *peertest.Conn) {
	t.Helper()
	p.AddUser(alice, password)
	c := dial(t, p, changes...)
	if _, err := c.Login(testContext(t), alice, password); err != nil {
		t.Fatal(err)
	}
	return c, p.Accept()
}

func nextPush(t testing.TB, c *client.Client) client.Push {
	t.Helper()
	select {
	case p, ok := <-c.Pushes():
		if !ok {
			t.Fatalf("the pushes have ended: %v", c.Err())
		}
		return p
	case <-time.After(peertest.Patience):
		t.Fatal("no push came")
		return nil
	}
}

// expectPush waits for a push of one type and fails on any other.
func expectPush[P client.Push](t testing.TB, c *client.Client) P {
	t.Helper()
	got := nextPush(t, c)
	p, ok := got.(P)
	if !ok {
		t.Fatalf("got %#v, want a %T", got, p)
	}
	return p
}

// expectEnd waits until the pushes end, and returns why.
func expectEnd(t testing.TB, c *client.Client) error {
	t.Helper()
	timeout := time.After(peertest.Patience)
	for {
		select {
		case _, ok := <-c.Pushes():
			if !ok {
				return c.Err()
			}
		case <-timeout:
			t.Fatal("the client does not end")
		}
	}
}

func wantIs(t testing.TB, err error, targets ...error) {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("got %v, want %v", err, target)
		}
	}
}

func wantNot(t testing.TB, err, target error) {
	t.Helper()
	if errors.Is(err, target) {
		t.Errorf("got %v, which is %v", err, target)
	}
}

func wantEqual(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// decoded takes a request apart as the opcode says.
func decoded(t testing.TB, f libproto.Frame) libproto.Body {
	t.Helper()
	b := libproto.NewRequest(f.Op)
	if err := b.Decode(f.Body); err != nil {
		t.Errorf("%v: %v", f.Op, err)
	}
	return b
}

func statusError(err error) *client.StatusError {
	var refusal *client.StatusError
	errors.As(err, &refusal)
	return refusal
}

func outcomeError(err error) *client.OutcomeError {
	var outcome *client.OutcomeError
	errors.As(err, &outcome)
	return outcome
}

func goingAwayError(err error) *client.GoingAwayError {
	var goodbye *client.GoingAwayError
	errors.As(err, &goodbye)
	return goodbye
}

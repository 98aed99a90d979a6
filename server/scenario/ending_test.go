package scenario

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
)

// ending is how a connection ended.
type ending struct {
	last *libproto.Frame // push, nil if there was none
	err  error
}

// end reads until the server ends the connection and returns the last push before that, nil if there was none. A server
// that ends a connection on purpose does so in order; anyhow allows a reset as well.
func (s *session) end(anyhow bool) (last *libproto.Frame, err error) {
	if s.waking != nil {
		woken := <-s.waking
		return woken.last, woken.err
	}
	return s.readToEnd(anyhow)
}

func (s *session) readToEnd(anyhow bool) (last *libproto.Frame, err error) {
	for {
		f, err := s.push()
		switch {
		case err == nil:
			last = &f
		case errors.Is(err, io.EOF), anyhow && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.ErrUnexpectedEOF)):
			return last, nil
		default:
			return last, fmt.Errorf("%s: %w", s.name, err)
		}
	}
}

// cmdWake has a deaf session begin to read, in the background, as soon as a value in SERVER_STATS is as wanted, and read to
// the connection's end; closed says how that was.
func cmdWake(ts *testscript.TestScript, w *world, args []string) {
	server, in := w.running(ts), &words{ts, args}
	s, c := w.session(ts, in.next("session")), parseComparison(in)
	in.end()
	woken := make(chan ending, 1)
	go func() {
		var e ending
		if e.err = server.awaitStats(c); e.err == nil {
			e.last, e.err = s.readToEnd(false)
		}
		woken <- e
	}()
	s.waking = woken
}

// goingAwayReasons are the words of the scripts for them.
var goingAwayReasons = map[string]libproto.GoingAwayReason{
	"shutdown": libproto.GoingAwayShutdown, "idle": libproto.GoingAwayIdle, "slow": libproto.GoingAwaySlowConsumer,
	"resumed": libproto.GoingAwayResumed, "abuse": libproto.GoingAwayAbuse,
}

// cmdClosed waits until the server has ended a connection, and checks what it said.
func cmdClosed(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	s := w.session(ts, in.next("name"))
	want := libproto.GoingAwayReason(0)
	anyhow := in.skip("anyhow")
	if !anyhow && len(in.rest) > 0 && in.rest[0] != "within" {
		word := in.next("reason")
		if want = goingAwayReasons[word]; want == 0 {
			ts.Fatalf("%q is no reason: shutdown, idle, slow, resumed, abuse", word)
		}
	}
	within := in.within()
	in.end()
	var last *libproto.Frame
	passed, err := took(func() (err error) { last, err = s.end(anyhow); return err })
	ts.Check(err)
	if within > 0 && passed > within {
		ts.Fatalf("%s was closed after %v, not within %v", s.name, passed, within)
	}
	ts.Check(wentAway(last, want))
	s.hangUp()
	delete(w.sessions, s.name)
}

// wentAway checks the last push before an end; want 0: no GOING_AWAY.
func wentAway(last *libproto.Frame, want libproto.GoingAwayReason) error {
	var b libproto.GoingAway
	if last != nil && last.Op == libproto.OpGoingAway {
		if err := decode(*last, &b); err != nil {
			return err
		}
	}
	if b.Reason != want {
		return fmt.Errorf("the last word was GOING_AWAY %v (%s), not %v", b.Reason, b.Detail, want)
	}
	return nil
}

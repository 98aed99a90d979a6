package scenario

import (
	"errors"
	"fmt"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
)

// cmdCrowd deals with many connections at once: those that are greeted and stay, those that say nothing, and those that never finish
// saying it.
func cmdCrowd(ts *testscript.TestScript, w *world, args []string) {
	w.running(ts)
	in := &words{ts, args}
	switch {
	case in.skip("leaves"):
		in.end()
		for _, s := range w.crowd {
			s.hangUp()
		}
		w.crowd = nil
	case in.skip("closed"):
		w.crowdClosed(ts, in)
	case in.skip("silent"):
		ts.Check(w.gather(in.number("connections")))
		in.end()
	case in.skip("slow"):
		from := len(w.crowd)
		ts.Check(w.gather(in.number("connections")))
		in.end()
		for _, s := range w.crowd[from:] {
			go s.drip()
		}
	default:
		w.crowdGreeted(ts, in)
	}
}

// gather opens connections.
func (w *world) gather(count int) error {
	for range count {
		s, err := w.dial("crowd", false)
		if err != nil {
			return err
		}
		w.crowd = append(w.crowd, s)
	}
	return nil
}

// crowdGreeted opens connections that stay, and counts those that are greeted and those that are turned away: there must be no
// third kind.
func (w *world) crowdGreeted(ts *testscript.TestScript, in *words) {
	count := in.number("connections")
	in.end()
	served, away := 0, 0
	for range count {
		s, err := w.dial("crowd", false)
		ts.Check(err)
		switch err := s.knock(); {
		case err == nil:
			w.crowd = append(w.crowd, s)
			served++
		case errors.Is(err, errTurnedAway):
			s.hangUp()
			away++
		default:
			ts.Fatalf("connection %d: %v", served+away+1, err)
		}
	}
	fmt.Fprintf(ts.Stdout(), "served %d, turned away %d\n", served, away)
}

// drip sends a long HELLO a byte at a time, until the connection has ended.
func (s *session) drip() {
	hello := libproto.HelloRequest{VersionMin: libproto.Version, VersionMax: libproto.Version, Agent: make([]byte, dripBytes)}
	frame := libproto.AppendFrame(nil, libproto.Header{Op: libproto.OpHello, ReqID: 1}, hello)
	every := time.NewTicker(dripEvery)
	defer every.Stop()
	for i := 0; i < len(frame) && s.write(frame[i:i+1]) == nil; i++ {
		<-every.C
	}
}

// crowdClosed waits until the server has ended all of them, in order and for the same reason.
func (w *world) crowdClosed(ts *testscript.TestScript, in *words) {
	word := in.next("reason")
	want := goingAwayReasons[word]
	if want == 0 {
		ts.Fatalf("%q is no reason: shutdown, idle, slow, resumed, abuse", word)
	}
	within := in.within()
	in.end()
	passed, err := took(func() error {
		return together(w.crowd, func(s *session) error {
			defer s.hangUp()
			last, err := s.end(false)
			if err != nil {
				return err
			}
			return wentAway(last, want)
		})
	})
	ts.Check(err)
	if within > 0 && passed > within {
		ts.Fatalf("all were closed after %v, not within %v", passed, within)
	}
	w.crowd = nil
}

// cmdStorm has connections send a request again and again, more often than the server puts up with, and connect anew when they were
// thrown out. Each must get as many answers as the others, all with the same status, and be told why it is ended.
func cmdStorm(ts *testscript.TestScript, w *world, args []string) {
	w.running(ts)
	in := &words{ts, args}
	count, times := in.number("connections at once"), in.number("times")
	e, err := w.encode(&session{name: "storm"}, in.rest)
	ts.Check(err)
	var frames []byte
	for range stormFrames {
		frames = append(frames, e.bytes...)
	}
	storms := make([]*storm, count)
	for i := range storms {
		storms[i] = &storm{world: w, frames: frames, times: times, answers: make(map[libproto.Status]int)}
	}
	ts.Check(together(storms, (*storm).rage))
	answers := make(map[libproto.Status]int)
	for _, s := range storms {
		for status, n := range s.answers {
			answers[status] += n
		}
	}
	for status, n := range answers {
		fmt.Fprintf(ts.Stdout(), "%d connections: %d answers %v\n", count*times, n, status)
	}
}

// storm is one of the connections, and those that follow it.
type storm struct {
	*world
	frames  []byte
	times   int
	answers map[libproto.Status]int
}

func (st *storm) rage() error {
	for range st.times {
		s, err := st.dial("storm", false)
		if err != nil {
			return err
		}
		_ = s.write(st.frames) // the server may have ended it by now
		err = st.count(s)
		s.hangUp()
		if err != nil {
			return err
		}
	}
	return nil
}

// count reads to the end, which must be GOING_AWAY for abuse.
func (st *storm) count(s *session) error {
	for {
		f, err := s.next()
		switch {
		case err != nil:
			return fmt.Errorf("the connection ended without a word: %w", err)
		case f.Flags&libproto.FlagResponse != 0:
			st.answers[f.Status]++
		default:
			return wentAway(&f, libproto.GoingAwayAbuse)
		}
	}
}

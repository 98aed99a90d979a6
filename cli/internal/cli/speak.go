package cli

import (
	"context"
	"slices"

	"tradechat.internal/client"
)

// speaker sends the lines of stdin to a room, one at a time, and knows which of the room's messages are its own.
//
// A terminal has echoed what was typed, so the message is not printed there once more. The room's own order says which
// message it is: its number comes with the answer, which may be later than the message itself. That message is held until then.
type speaker struct {
	lines    <-chan line // nil: stdin has ended
	leaves   bool        // the end of stdin is the end of the join: it is a terminal
	echoed   bool
	outcomes chan outcomeOf
	sending  *line
	held     *client.ChatMessage // what may be the line that is being sent
	own      []uint64            // numbers of lines that were sent and have not come back
}

// outcomeOf is what became of a line.
type outcomeOf struct {
	line line
	seq  uint64
	err  error
}

// waiting are the lines to take now: none while one is on its way.
func (s *speaker) waiting() <-chan line {
	if s.sending != nil {
		return nil
	}
	return s.lines
}

// say sends a line in the background.
func (v *viewer) say(ctx context.Context, l line) error {
	if l.err != nil {
		return v.unsaid(l, l.err)
	}
	v.speaker.sending = &l
	go func() {
		sent, err := v.client.SendChat(ctx, v.roomID, l.text)
		v.speaker.outcomes <- outcomeOf{l, sent.Seq, err} // has room for the only one
	}()
	return nil
}

// said takes the outcome of a line, and shows the message that was held for it.
func (v *viewer) said(o outcomeOf) error {
	s := &v.speaker
	s.sending = nil
	if o.err == nil && s.echoed {
		s.own = append(s.own, o.seq)
	}
	if o.err != nil {
		if err := v.unsaid(o.line, o.err); err != nil {
			return err
		}
	}
	held := s.held
	s.held = nil
	if held == nil {
		return nil
	}
	return v.message(held)
}

func (v *viewer) unsaid(l line, err error) error {
	return v.event(notSent{Event: "not_sent", Room: v.room, Line: l.number, Text: l.text, Error: v.app.message(err)})
}

// hold keeps a message that may be the line on its way, and reports whether it did.
func (v *viewer) hold(p client.Push) bool {
	m, ok := p.(*client.ChatMessage)
	s := &v.speaker
	if !ok || !s.echoed || s.sending == nil || m.FromUserID != v.client.Session().UserID || m.Text != s.sending.text {
		return false
	}
	s.held = m
	return true
}

// isOwn reports whether the terminal shows this message already. Messages come in order: what is older comes no more.
func (s *speaker) isOwn(seq uint64) bool {
	own := slices.Contains(s.own, seq)
	s.own = slices.DeleteFunc(s.own, func(older uint64) bool { return older <= seq })
	return own
}

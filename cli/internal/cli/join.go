package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tradechat.internal/client"
	"tradechat.internal/liblog/program"
)

// joinOptions are join's flags.
type joinOptions struct {
	count  int           // messages after which to leave; 0: no such end
	span   time.Duration // time after which to leave; 0: no such end
	replay int           // messages of before to print first
}

func (o joinOptions) check() error {
	return errors.Join(
		checkRange("--count", o.count, 0, 1<<31-1),
		checkRange("--for", o.span, 0, 365*24*time.Hour),
		checkRange("--replay", o.replay, 0, replayMost),
	)
}

func (a *app) joinCommand() *cobra.Command {
	var o joinOptions
	var made *cobra.Command
	made = a.cobra(command{
		use:   "join ROOM",
		short: "Join a room, print its messages as they come and send it the lines of stdin",
		long: `Every line of stdin is sent to the room: typed on a terminal, or written by a program
into a pipe. A line that cannot be sent is named on stderr, and the next one is sent.
Ctrl-D on a terminal leaves; the end of a pipe or file does not, and neither does a stdin
that is closed. In the background of a shell the terminal is not read.

It runs until then or until Ctrl-C, or as --count and --for say, and prints direct messages
too. The room is made if there is none of that name. When the connection is lost it comes
back by itself and prints what was missed, as far as the server still has it.

With --json every line is an object whose "event" is one of joined_room, message,
direct, member_joined, member_left, gap, room_reset, dropped, going_away,
disconnected, reconnected, not_sent.`,
		example: `  tradechat --user alice join lobby
  tradechat --user alice join lobby --replay 20
  my-bot <to-bot | tradechat --user bot join lobby --json >to-bot
  tradechat --user alice join lobby --count 1 --for 30s --json`,
		run: func(ctx context.Context, args []string) (result, error) {
			if !made.Flags().Changed(reconnectForFlag) {
				a.reconnectFor = client.ReconnectForDefault
			}
			return nil, a.join(ctx, args[0], o)
		},
	})
	flags := made.Flags()
	flags.IntVar(&o.count, "count", 0, "leave after `N` messages; 0: do not")
	flags.DurationVar(&o.span, "for", 0, "leave after this `time`, such as 30s or 5m; 0: do not")
	flags.IntVar(&o.replay, "replay", 0, "print the last `N` messages first")
	return made
}

func (a *app) join(ctx context.Context, name string, o joinOptions) error {
	if err := errors.Join(checkName(name), o.check()); err != nil {
		return err
	}
	err := a.loggedIn(ctx, func(c *client.Client) error {
		id, created, err := c.OpenRoom(ctx, name)
		if err != nil {
			return err
		}
		m, err := c.JoinRoom(ctx, id, uint16(o.replay))
		if err != nil {
			return err
		}
		v := viewer{app: a, client: c, room: name, roomID: id, left: o.count}
		if err := v.event(joinedRoom{Event: "joined_room", Room: name, RoomID: id, Created: created, LastSeq: m.LastSeq, Members: m.Members}); err != nil {
			return err
		}
		reading, stop := context.WithCancel(ctx)
		defer stop()
		in := newInput(reading, a.std.In, int(c.Server().MessageLenMax))
		defer in.forget()
		v.speaker = speaker{
			lines: in.all(reading), leaves: in.terminal != nil, outcomes: make(chan outcomeOf, 1),
			echoed: in.terminal != nil && !a.json,
		}
		return v.watch(ctx, o.span)
	})
	if errors.Is(err, errEnough) || program.ReaderLeft(err) {
		return nil
	}
	return err
}

// errEnough ends a join in the way that was asked for.
var errEnough = errors.New("enough")

// viewer prints what happens in a room, and says there what comes from stdin.
type viewer struct {
	app     *app
	client  *client.Client
	room    string
	roomID  uint32
	left    int // messages until the end; 0: there is none
	speaker speaker
}

// watch prints pushes and sends lines until an interrupt, the end of span or of a terminal's input, which are what was asked
// for, or a failure.
func (v *viewer) watch(ctx context.Context, span time.Duration) error {
	var over <-chan time.Time
	if span > 0 {
		over = time.After(span)
	}
	for {
		pushes := v.client.Pushes()
		if v.speaker.held != nil {
			pushes = nil
		}
		var err error
		select {
		case <-ctx.Done():
			return errEnough
		case <-over:
			return errEnough
		case l, ok := <-v.speaker.waiting():
			err = v.typed(ctx, l, ok)
		case o := <-v.speaker.outcomes:
			err = v.said(o)
		case p, ok := <-pushes:
			if !ok {
				return v.client.Err()
			}
			if !v.hold(p) {
				err = v.show(ctx, p)
			}
		}
		if err != nil {
			return err
		}
	}
}

// typed deals with a line of stdin, or with its end.
func (v *viewer) typed(ctx context.Context, l line, ok bool) error {
	switch {
	case ok:
		return v.say(ctx, l)
	case v.speaker.leaves:
		return errEnough
	}
	v.speaker.lines = nil
	return nil
}

func (v *viewer) show(ctx context.Context, p client.Push) error {
	switch p := p.(type) {
	case *client.ChatMessage:
		return v.message(p)
	case *client.DirectMessage:
		return v.event(direct{Event: "direct", Time: utc(p.Time), FromUserID: p.FromUserID, From: p.From, Text: p.Text})
	case *client.MemberChange:
		return v.event(memberChanged(v.room, p))
	case *client.Gap:
		return v.fill(ctx, p)
	case *client.RoomReset:
		v.speaker.own = nil // the room counts anew
		return v.event(roomReset{Event: "room_reset", Room: v.room, LastSeq: p.LastSeq})
	case *client.Dropped:
		return v.event(dropped{Event: "dropped", DirectMessages: p.DirectMessages, Other: p.Other})
	case *client.GoingAway:
		return v.event(goingAway{Event: "going_away", Reason: p.Reason.String(), Detail: p.Detail, ReconnectAfterMs: p.ReconnectAfter.Milliseconds()})
	case *client.Disconnected:
		return v.event(disconnected{Event: "disconnected", Error: p.Err.Error()})
	case *client.Reconnected:
		return v.event(reconnected{Event: "reconnected", Resumed: p.Resumed})
	case *client.RoomLost:
		return fmt.Errorf("room %s cannot be joined again: %w", v.room, p.Err)
	}
	return nil
}

func (v *viewer) message(m *client.ChatMessage) error {
	var err error
	if !v.speaker.isOwn(m.Seq) {
		err = v.print(m)
	}
	if err == nil && v.left > 0 {
		if v.left--; v.left == 0 {
			return errEnough
		}
	}
	return err
}

func (v *viewer) print(m *client.ChatMessage) error {
	return v.event(chatMessage{
		Event:      "message",
		Room:       v.room,
		Seq:        m.Seq,
		Time:       utc(m.Time),
		FromUserID: m.FromUserID,
		From:       m.From,
		Text:       m.Text,
		Replay:     m.Replay,
	})
}

// fill prints what can be had of the messages that did not come, and says which cannot.
func (v *viewer) fill(ctx context.Context, g *client.Gap) error {
	kept, err := v.client.HistoryBetween(ctx, g.RoomID, g.FirstSeq, g.LastSeq)
	if ctx.Err() != nil {
		return errEnough
	}
	if err != nil {
		return v.missing(g.FirstSeq, g.LastSeq)
	}
	next := g.FirstSeq
	for _, m := range kept {
		if err := v.missing(next, m.Seq-1); err != nil {
			return err
		}
		if err := v.message(m); err != nil {
			return err
		}
		next = m.Seq + 1
	}
	return v.missing(next, g.LastSeq)
}

func (v *viewer) missing(first, last uint64) error {
	if first > last {
		return nil
	}
	return v.event(gap{Event: "gap", Room: v.room, FirstSeq: first, LastSeq: last})
}

// event prints one line: what is said in the room on stdout, what is said about it on stderr, JSON all on stdout.
func (v *viewer) event(e event) error {
	if v.app.json {
		return v.app.print(e)
	}
	if e.aside() {
		e.writeText(v.app.std.Err)
		return nil
	}
	return v.app.print(e)
}

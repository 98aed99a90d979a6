package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tradechat.internal/client"
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
		short: "Join a room and print its messages as they come",
		long: `It runs until Ctrl-C, or as --count and --for say, and prints direct messages too.
The room is made if there is none of that name. When the connection is lost it comes
back by itself and prints what was missed, as far as the server still has it.

With --json every line is an object whose "event" is one of joined_room, message,
direct, member_joined, member_left, gap, room_reset, dropped, going_away,
disconnected, reconnected.`,
		example: `  tradechat --user alice join lobby
  tradechat --user alice join lobby --replay 20
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
		return v.watch(ctx, o.span)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// errEnough ends a join in the way that was asked for.
var errEnough = errors.New("enough")

// viewer prints what happens in a room.
type viewer struct {
	app    *app
	client *client.Client
	room   string
	roomID uint32
	left   int // messages until the end; 0: there is none
}

// watch prints pushes until an interrupt or the end of span, which are what was asked for, or a failure.
func (v *viewer) watch(ctx context.Context, span time.Duration) error {
	var over <-chan time.Time
	if span > 0 {
		over = time.After(span)
	}
	for {
		select {
		case <-ctx.Done():
			return errEnough
		case <-over:
			return errEnough
		case p, ok := <-v.client.Pushes():
			if !ok {
				return v.client.Err()
			}
			if err := v.show(ctx, p); err != nil {
				return err
			}
		}
	}
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
	err := v.event(chatMessage{
		Event:      "message",
		Room:       v.room,
		Seq:        m.Seq,
		Time:       utc(m.Time),
		FromUserID: m.FromUserID,
		From:       m.From,
		Text:       m.Text,
		Replay:     m.Replay,
	})
	if err == nil && v.left > 0 {
		if v.left--; v.left == 0 {
			return errEnough
		}
	}
	return err
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

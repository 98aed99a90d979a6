package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tradechat.internal/client"
)

type roomList struct {
	Rooms []room `json:"rooms"`
}

type room struct {
	Room    string `json:"room"`
	RoomID  uint32 `json:"room_id"`
	Members uint32 `json:"members"` // sessions
	LastSeq uint64 `json:"last_seq"`
}

func (l roomList) writeText(w io.Writer) {
	t := table{columns: []column{{"ROOM", false}, {"MEMBERS", true}, {"MESSAGES", true}, {"ID", true}}}
	for _, r := range l.Rooms {
		t.add(printable(r.Room), strconv.FormatUint(uint64(r.Members), 10), strconv.FormatUint(r.LastSeq, 10),
			strconv.FormatUint(uint64(r.RoomID), 10))
	}
	t.write(w, "")
}

func (a *app) roomsCommand() *cobra.Command {
	return a.cobra(command{
		use:   "rooms",
		short: "List the rooms",
		example: `  tradechat --user alice rooms
  tradechat --user alice rooms --json`,
		run: func(ctx context.Context, _ []string) (result, error) {
			l := roomList{Rooms: []room{}}
			err := a.loggedIn(ctx, func(c *client.Client) error {
				for r, err := range c.AllRooms(ctx) {
					if err != nil {
						return err
					}
					l.Rooms = append(l.Rooms, room{Room: r.Name, RoomID: r.ID, Members: r.Members, LastSeq: r.LastSeq})
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			return l, nil
		},
	})
}

type sent struct {
	act
	Room    string    `json:"room"`
	RoomID  uint32    `json:"room_id"`
	Created bool      `json:"created"` // the room is new
	Seq     uint64    `json:"seq"`
	Time    time.Time `json:"time"`
}

func (s sent) writeText(w io.Writer) {
	which := s.Room
	if s.Created {
		which += ", a new room,"
	}
	fmt.Fprintf(w, "sent to %s as message %d\n", which, s.Seq)
}

func (a *app) sendCommand() *cobra.Command {
	return a.cobra(command{
		use:   "send ROOM TEXT",
		short: "Send a message to a room",
		long: `The room is made if there is none of that name. Text that begins with a dash goes
behind a --. With - as TEXT every line of stdin is sent as a message of its own; the first
line that cannot be sent ends the command.`,
		example: `  tradechat --user alice send lobby "hello everybody"
  make 2>&1 | tail -n 3 | tradechat --user builder send builds -
  tradechat --user alice send lobby -- "--- done ---"`,
		run: func(ctx context.Context, args []string) (result, error) { return a.send(ctx, args[0], args[1]) },
	})
}

// standardIn is the text that stands for stdin.
const standardIn = "-"

func (a *app) send(ctx context.Context, name, text string) (result, error) {
	err := checkName(name)
	if err == nil {
		err = checkText(text)
	}
	if err != nil {
		return nil, err
	}
	s := sent{Room: name}
	err = a.loggedIn(ctx, func(c *client.Client) error {
		if s.RoomID, s.Created, err = c.OpenRoom(ctx, name); err != nil {
			return err
		}
		if _, err := c.JoinRoom(ctx, s.RoomID, 0); err != nil {
			return err
		}
		if text == standardIn {
			return a.sendLines(ctx, c, s)
		}
		return s.send(ctx, c, text)
	})
	if err != nil || text == standardIn {
		return nil, err
	}
	return s, nil
}

func (s *sent) send(ctx context.Context, c *client.Client, text string) error {
	m, err := c.SendChat(ctx, s.RoomID, text)
	s.Seq, s.Time = m.Seq, utc(m.Time)
	return err
}

// sendLines sends and prints line after line.
func (a *app) sendLines(ctx context.Context, c *client.Client, s sent) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	lines := newInput(reading, a.std.In, int(c.Server().MessageLenMax)).all(reading)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case l, ok := <-lines:
			if !ok {
				return nil
			}
			if err := a.sendLine(ctx, c, s, l); err != nil {
				return fmt.Errorf("line %d: %w", l.number, err)
			}
			s.Created = false
		}
	}
}

func (a *app) sendLine(ctx context.Context, c *client.Client, s sent, l line) error {
	if l.err != nil {
		return l.err
	}
	if err := s.send(ctx, c, l.text); err != nil {
		return err
	}
	return a.print(s)
}

type delivered struct {
	act
	To              string    `json:"to"`
	SessionsReached int       `json:"sessions_reached"`
	Time            time.Time `json:"time"`
}

func (d delivered) writeText(w io.Writer) {
	if d.SessionsReached == 0 {
		fmt.Fprintf(w, "%s is not online: nobody received it\n", d.To)
		return
	}
	fmt.Fprintf(w, "delivered to %s (%s)\n", d.To, count(d.SessionsReached, "session"))
}

func (a *app) dmCommand() *cobra.Command {
	return a.cobra(command{
		use:   "dm USER TEXT",
		short: "Send a message to one user",
		long: `It reaches every session of the user that is online now. Nothing is kept for a user
who is not online: the command says so, and exits with 0 all the same.`,
		example: `  tradechat --user alice dm bob "lunch?"`,
		run:     func(ctx context.Context, args []string) (result, error) { return a.dm(ctx, args[0], args[1]) },
	})
}

func (a *app) dm(ctx context.Context, to, text string) (result, error) {
	err := checkName(to)
	if err == nil {
		err = checkText(text)
	}
	if err != nil {
		return nil, err
	}
	d := delivered{To: to}
	err = a.loggedIn(ctx, func(c *client.Client) error {
		d.SessionsReached, d.Time, err = c.SendDirect(ctx, to, text)
		d.Time = utc(d.Time)
		if err != nil {
			return fmt.Errorf("user %s: %w", to, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

type who struct {
	Room  string     `json:"room,omitempty"`
	Users []userLine `json:"users"`
}

type userLine struct {
	User   string `json:"user"`
	UserID uint32 `json:"user_id"`
}

func (l who) writeText(w io.Writer) {
	t := table{columns: []column{{"USER", false}, {"ID", true}}}
	for _, u := range l.Users {
		t.add(printable(u.User), strconv.FormatUint(uint64(u.UserID), 10))
	}
	t.write(w, "")
}

func (a *app) whoCommand() *cobra.Command {
	return a.cobra(command{
		use:   "who [ROOM]",
		short: "List who is online, in a room or on the whole server",
		example: `  tradechat --user alice who
  tradechat --user alice who lobby --json`,
		run: func(ctx context.Context, args []string) (result, error) {
			name := ""
			if len(args) == 1 {
				name = args[0]
				if err := checkName(name); err != nil {
					return nil, err
				}
			}
			return a.who(ctx, name)
		},
	})
}

// who lists the users of a room, or of the whole server if there is no name.
func (a *app) who(ctx context.Context, name string) (result, error) {
	l := who{Room: name, Users: []userLine{}}
	err := a.loggedIn(ctx, func(c *client.Client) error {
		var r client.Room
		var err error
		if name != "" {
			if r, err = c.FindRoom(ctx, name); err != nil {
				return err
			}
		}
		for u, err := range c.Everybody(ctx, r.ID) {
			if err != nil {
				return err
			}
			l.Users = append(l.Users, userLine{User: u.Name, UserID: u.ID})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

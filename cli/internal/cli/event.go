package cli

import (
	"fmt"
	"io"
	"time"

	"tradechat.internal/client"
)

// event is one thing that join prints.
type event interface {
	result
	aside() bool // it is about the connection, not of the room
}

// inRoom and aboutRoom say which.
type (
	inRoom    struct{}
	aboutRoom struct{}
)

func (inRoom) aside() bool    { return false }
func (aboutRoom) aside() bool { return true }

type joinedRoom struct {
	aboutRoom
	Event   string `json:"event"`
	Room    string `json:"room"`
	RoomID  uint32 `json:"room_id"`
	Created bool   `json:"created"`
	LastSeq uint64 `json:"last_seq"`
	Members uint32 `json:"members"` // sessions
}

func (j joinedRoom) writeText(w io.Writer) {
	which := "joined " + j.Room
	if j.Created {
		which = "made and joined " + j.Room
	}
	fmt.Fprintf(w, "-- %s: %s, %s so far; Ctrl-C leaves\n", which, count(j.Members, "member"), count(j.LastSeq, "message"))
}

type chatMessage struct {
	inRoom
	Event      string    `json:"event"`
	Room       string    `json:"room"`
	Seq        uint64    `json:"seq"`
	Time       time.Time `json:"time"`
	FromUserID uint32    `json:"from_user_id"`
	From       string    `json:"from"`
	Text       string    `json:"text"`
	Replay     bool      `json:"replay"` // sent before the room was joined, or brought back from its history
}

func (m chatMessage) writeText(w io.Writer) {
	fmt.Fprintf(w, "%s %s: %s\n", clock(m.Time), printable(m.From), printable(m.Text))
}

type direct struct {
	inRoom
	Event      string    `json:"event"`
	Time       time.Time `json:"time"`
	FromUserID uint32    `json:"from_user_id"`
	From       string    `json:"from"`
	Text       string    `json:"text"`
}

func (d direct) writeText(w io.Writer) {
	fmt.Fprintf(w, "%s [direct] %s: %s\n", clock(d.Time), printable(d.From), printable(d.Text))
}

type memberChange struct {
	inRoom
	Event  string `json:"event"`
	Room   string `json:"room"`
	UserID uint32 `json:"user_id"`
	User   string `json:"user"`
}

func memberChanged(room string, p *client.MemberChange) memberChange {
	m := memberChange{Event: "member_left", Room: room, UserID: p.UserID, User: p.Name}
	if p.Joined {
		m.Event = "member_joined"
	}
	return m
}

func (m memberChange) writeText(w io.Writer) {
	verb := "left"
	if m.Event == "member_joined" {
		verb = "joined"
	}
	fmt.Fprintf(w, "%s * %s %s\n", clock(time.Now()), printable(m.User), verb)
}

type gap struct {
	inRoom
	Event    string `json:"event"`
	Room     string `json:"room"`
	FirstSeq uint64 `json:"first_seq"`
	LastSeq  uint64 `json:"last_seq"`
}

func (g gap) writeText(w io.Writer) {
	fmt.Fprintf(w, "-- %s missed: %d to %d\n", count(g.LastSeq-g.FirstSeq+1, "message"), g.FirstSeq, g.LastSeq)
}

type roomReset struct {
	aboutRoom
	Event   string `json:"event"`
	Room    string `json:"room"`
	LastSeq uint64 `json:"last_seq"`
}

func (r roomReset) writeText(w io.Writer) {
	fmt.Fprintln(w, "-- the server was started anew: earlier messages are gone")
}

type dropped struct {
	aboutRoom
	Event          string `json:"event"`
	DirectMessages int    `json:"direct_messages"`
	Other          int    `json:"other"`
}

func (d dropped) writeText(w io.Writer) {
	fmt.Fprintf(w, "-- printing was too slow: %s missed\n", count(d.DirectMessages, "direct message"))
}

type goingAway struct {
	aboutRoom
	Event            string `json:"event"`
	Reason           string `json:"reason"`
	Detail           string `json:"detail,omitempty"`
	ReconnectAfterMs int64  `json:"reconnect_after_ms"`
}

func (g goingAway) writeText(w io.Writer) {
	fmt.Fprintf(w, "-- the server is going away: %s %s\n", g.Reason, printable(g.Detail))
}

type disconnected struct {
	aboutRoom
	Event string `json:"event"`
	Error string `json:"error"`
}

func (d disconnected) writeText(w io.Writer) { fmt.Fprintf(w, "-- %s\n", printable(d.Error)) }

type reconnected struct {
	aboutRoom
	Event   string `json:"event"`
	Resumed bool   `json:"resumed"` // the session is the old one
}

func (reconnected) writeText(w io.Writer) { fmt.Fprintln(w, "-- back again") }

type notSent struct {
	aboutRoom
	Event string `json:"event"`
	Room  string `json:"room"`
	Line  int    `json:"line"` // of stdin, counted from 1
	Text  string `json:"text"` // its beginning, if it was too long
	Error string `json:"error"`
}

func (n notSent) writeText(w io.Writer) {
	fmt.Fprintf(w, "-- not sent: %s: %s\n", printable(head([]byte(n.Text))), printable(n.Error))
}

func clock(t time.Time) string { return t.Local().Format(time.TimeOnly) }

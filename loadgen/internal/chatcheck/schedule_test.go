package chatcheck

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"pgregory.net/rapid"
)

// world is a model of a chat server with clients: random schedules of sends, deliveries, acks, deaths and returns.
// Everything that it does by itself is right; sabotage makes it do one thing wrong.
type world struct {
	t        *rapid.T
	dice     *rand.Rand // for what happens too often to be drawn singly
	group    *Group
	rooms    [][]said // by room: what has room_seq 1, 2, 3 …
	clients  []*client
	sabotage sabotage
	armed    int // deliveries, sends or acks until the sabotage
	struck   bool
}

type said struct {
	from uint32
	text []byte
}

type client struct {
	conn    uint32
	sender  Sender
	members []*seat
	up      bool
	acks    []ack
}

type seat struct {
	Member
	room    int // index in world.rooms
	at      int // how many of the room's messages were delivered or skipped
	joining bool
}

type ack struct {
	id  ID
	seq uint64
}

// sabotage is the one thing that goes wrong.
type sabotage int

const (
	nothing sabotage = iota
	dropDelivery
	repeatDelivery
	swapDeliveries
	corruptByte
	swapTexts
	sendTwice
	forgetSent
	ackWrongSeq
	keepRefused
	forgeSender
	leakRoom
	replay
)

func ownerOf(conn int) Owner {
	return Owner{UserID: 1000 + uint32(conn), Name: []byte(fmt.Sprintf("user-%d", conn))}
}

func newWorld(t *rapid.T, s sabotage) *world {
	conns := rapid.IntRange(2, 5).Draw(t, "connections")
	size := rapid.IntRange(2, conns).Draw(t, "room size")
	count := (conns + size - 1) / size
	if s == leakRoom {
		count++
	}
	owners := make([]Owner, conns)
	ids := make([]uint32, count)
	for i := range owners {
		owners[i] = ownerOf(i)
	}
	for i := range ids {
		ids[i] = uint32(20 + i)
	}
	w := &world{t: t, sabotage: s, rooms: make([][]said, count)}
	w.dice = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "dice"), 0))
	w.group = NewGroup(NewCodec(7, 7, testLengthMax), owners, ids, size)
	for r := range w.rooms {
		w.rooms[r] = make([]said, rapid.IntRange(0, 200).Draw(t, "said before")) // nobody may be shown these
	}
	for conn := range uint32(conns) {
		w.clients = append(w.clients, w.newClient(conn))
	}
	return w
}

func (w *world) newClient(conn uint32) *client {
	c := &client{conn: conn, sender: w.group.NewSender(conn)}
	for _, m := range w.group.Join(conn) {
		c.members = append(c.members, &seat{Member: m, room: slices.Index(w.group.rooms, m.room)})
	}
	w.startJoining(c)
	w.finishJoining(c)
	return c
}

func (w *world) startJoining(c *client) {
	for _, m := range c.members {
		m.Entering()
		m.joining = true
		m.at = len(w.rooms[m.room])
	}
}

func (w *world) finishJoining(c *client) {
	for _, m := range c.members {
		m.Joined(uint64(m.at))
		m.joining = false
	}
	c.up = true
}

func (w *world) die(c *client) {
	c.sender.Close()
	for _, m := range c.members {
		m.Leave()
	}
	c.acks, c.up = nil, false
}

// strikes reports whether the sabotage, being of this kind, happens now.
func (w *world) strikes(s sabotage) bool {
	if w.sabotage != s || w.struck {
		return false
	}
	w.armed--
	w.struck = w.armed < 0
	return w.struck
}

func (w *world) send(c *client, m *seat) {
	id := c.sender.Next(&m.Member)
	length := MessageLenMin + w.dice.IntN(40)
	text := w.group.Codec.AppendMessage(nil, m.Room(), id, length)
	if w.dice.IntN(10) == 0 {
		if w.strikes(keepRefused) {
			w.keep(m.room, c.conn, text)
		}
		c.sender.Refused(id)
		return
	}
	seq := uint64(len(w.rooms[m.room]) + 1)
	if !w.strikes(forgetSent) {
		seq = w.keep(m.room, c.conn, text)
	}
	if w.strikes(sendTwice) {
		w.keep(m.room, c.conn, text)
	}
	if w.struck || w.dice.IntN(10) > 0 {
		c.acks = append(c.acks, ack{id, seq})
	}
}

func (w *world) keep(room int, conn uint32, text []byte) (seq uint64) {
	w.rooms[room] = append(w.rooms[room], said{conn, text})
	return uint64(len(w.rooms[room]))
}

func (w *world) takeAck(c *client) {
	a := c.acks[0]
	c.acks = c.acks[1:]
	if w.strikes(ackWrongSeq) {
		a.seq++
	}
	c.sender.Acked(a.id, a.seq)
}

// deliver gives a member its next message.
func (w *world) deliver(c *client, m *seat) {
	this := w.rooms[m.room][m.at]
	seq := uint64(m.at + 1)
	m.at++
	switch {
	case w.strikes(dropDelivery):
		return
	case w.strikes(repeatDelivery):
		w.show(c, m, seq, this)
	case w.strikes(corruptByte):
		this.text = slices.Clone(this.text)
		this.text[rapid.IntRange(0, len(this.text)-1).Draw(w.t, "byte")] ^= rapid.ByteRange(1, 255).Draw(w.t, "flip")
	case w.strikes(forgeSender):
		this.from = (this.from + 1) % uint32(len(w.clients))
	case w.strikes(replay):
		m.Replayed(seq)
		return
	case w.strikes(leakRoom):
		other := w.rooms[(m.room+1)%len(w.rooms)]
		if len(other) == 0 || other[len(other)-1].text == nil {
			w.struck = false
			break
		}
		this = other[len(other)-1]
	case m.at < len(w.rooms[m.room]) && w.strikes(swapDeliveries):
		w.show(c, m, seq+1, w.rooms[m.room][m.at])
		m.at++
	case m.at < len(w.rooms[m.room]) && w.strikes(swapTexts):
		w.show(c, m, seq, w.rooms[m.room][m.at])
		seq++
		m.at++
	}
	w.show(c, m, seq, this)
}

func (w *world) show(c *client, m *seat, seq uint64, s said) {
	owner := ownerOf(int(s.from))
	c.sender.Delivered(&m.Member, m.Deliver(seq, owner.UserID, owner.Name, s.text), seq)
}

// announceGap skips some messages, as a server does that could not keep up.
func (w *world) announceGap(m *seat, count int) {
	m.Gap(uint64(m.at+1), uint64(m.at+count))
	m.at += count
}

// fill asks for the oldest gap, once, and gets at most three rows.
func (w *world) fill(c *client, m *seat) {
	before, rows, ok := m.WantsHistory()
	if !ok {
		return
	}
	for seq := before - 1; seq >= before-min(rows, 3); seq-- {
		s := w.rooms[m.room][seq-1]
		owner := ownerOf(int(s.from))
		id, due := m.Filled(seq, owner.UserID, owner.Name, s.text)
		if !due {
			w.t.Fatalf("room_seq %d of a gap is not wanted", seq)
		}
		c.sender.Delivered(&m.Member, id, seq)
	}
}

// step does one thing at random.
func (w *world) step() {
	c := w.clients[rapid.IntRange(0, len(w.clients)-1).Draw(w.t, "client")]
	action := rapid.IntRange(0, 99).Draw(w.t, "action")
	m := c.members[w.dice.IntN(len(c.members))]
	behind := len(w.rooms[m.room]) - m.at
	switch {
	case !c.up && !m.joining && action < 40:
		w.startJoining(c)
	case !c.up && m.joining && action < 40:
		w.finishJoining(c)
	case !c.up:
	case action < 40:
		for range rapid.IntRange(1, 30).Draw(w.t, "messages") {
			w.send(c, m)
		}
	case action < 80:
		for range min(behind, rapid.IntRange(1, 100).Draw(w.t, "deliveries")) {
			if m.at < len(w.rooms[m.room]) {
				w.deliver(c, m)
			}
		}
	case action < 90:
		for range min(len(c.acks), rapid.IntRange(1, 60).Draw(w.t, "acks")) {
			w.takeAck(c)
		}
	case action < 93 && behind > 0:
		w.announceGap(m, rapid.IntRange(1, behind).Draw(w.t, "gap"))
	case action < 96:
		w.fill(c, m)
	case action < 98 && w.sabotage == nothing:
		w.die(c)
	}
}

// settle gives everybody what is due, as the drain of a run does.
func (w *world) settle() {
	for _, c := range w.clients {
		for c.up && len(c.acks) > 0 {
			w.takeAck(c)
		}
	}
	for _, c := range w.clients {
		for _, m := range c.members {
			if c.up {
				m.Marked(uint64(len(w.rooms[m.room])))
				for m.at < len(w.rooms[m.room]) {
					w.deliver(c, m)
				}
				for _, _, open := m.WantsHistory(); open; _, _, open = m.WantsHistory() {
					w.fill(c, m)
				}
			}
		}
	}
}

func (w *world) finish() {
	for _, c := range w.clients {
		if !c.up {
			continue
		}
		c.sender.Finish()
		for _, m := range c.members {
			m.Finish()
		}
	}
}

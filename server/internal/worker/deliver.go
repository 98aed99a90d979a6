package worker

import (
	"sort"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// feed is what one delivery pushes: each event of a room encoded once, for all local members.
//
//	bytes   [event][event][event][event]…     a member gets one piece of it: from the first event that is
//	marks   ^      ^      ^      ^            for it up to the end, and most members get all
type feed struct {
	bytes  []byte
	marks  []mark
	room   uint32
	chats  uint64 // messages among the events
	gaps   uint64
	dirty  []uint32
	mailTo *conn // whose mail bytes holds

	visitEvent func(shmstore.Event)
	visitMail  func(shmstore.Mail)
}

// mark says where in the bytes an event begins, and which position it had in the room's ring.
type mark struct {
	pos   uint64
	at    int
	chats uint64 // messages before it
}

func (d *feed) init(w *Worker) {
	shape := w.segment.Shape()
	*d = feed{
		bytes: make([]byte, 0, 2*shape.RoomRingBytes),
		dirty: make([]uint32, 0, shape.RoomsMax+1),
	}
	segment := w.segment
	d.visitEvent = func(e shmstore.Event) { d.encode(e, segment.UserName(e.User)) }
	d.visitMail = w.takeMail
}

// deliverAll pushes everything that this slot was told of.
func (w *Worker) deliverAll() {
	rooms, mail := w.store.TakeDirty(w.feed.dirty[:0])
	for _, room := range rooms {
		w.deliver(room)
		w.readClock()
	}
	if mail {
		w.deliverMail()
	}
}

// deliver pushes to the local members of a room what has happened in it since the last time.
func (w *Worker) deliver(room uint32) {
	w.flush()
	w.feed.reset(room)
	w.store.DrainRoom(room, w.feed.visitEvent)
	if len(w.feed.marks) > 0 {
		w.broadcast(w.rooms[room])
	}
}

// broadcast writes the feed to each member. A member whose write fails is dead afterwards but stays in the crowd until
// the turn ends.
func (w *Worker) broadcast(members crowd) {
	delivered := uint64(0)
	for i := range members {
		m := &members[i]
		piece, chats := w.feed.pieceFor(m.fromPos)
		if len(piece) == 0 || m.c.sock == nil || m.c.state == stateLeaving {
			continue
		}
		w.push(m.c, piece)
		delivered += chats
		if i%membersPerBeat == membersPerBeat-1 {
			w.readClock()
		}
	}
	w.metrics.Add(shmstore.CounterMessagesDelivered, delivered)
	w.metrics.Add(shmstore.CounterGaps, w.feed.gaps)
}

func (d *feed) reset(room uint32) {
	d.room, d.chats, d.gaps = room, 0, 0
	d.bytes, d.marks = d.bytes[:0], d.marks[:0]
}

// encode appends one event; name is its user's. A gap comes with the position of the event after it, but lies before it:
// a member that joined just there has lost nothing.
func (d *feed) encode(e shmstore.Event, name []byte) {
	at := mark{pos: e.Pos, at: len(d.bytes), chats: d.chats}
	switch e.Kind {
	case shmstore.EventMessage:
		d.chats++
		d.bytes = appendPush(d.bytes, libproto.OpChatBroadcast, libproto.ChatBroadcast{
			RoomID: d.room, RoomSeq: e.Seq, TimeNs: e.TimeNs, FromUserID: e.User, FromName: name, Message: e.Message,
		})
	case shmstore.EventGap:
		at.pos--
		d.gaps++
		d.encodeRoomEvent(libproto.RoomEvent{Kind: libproto.RoomEventGap, FirstSeq: e.First, LastSeq: e.Seq})
	case shmstore.EventJoined:
		d.encodeRoomEvent(libproto.RoomEvent{Kind: libproto.RoomEventJoined, UserID: e.User, Name: name})
	case shmstore.EventLeft:
		d.encodeRoomEvent(libproto.RoomEvent{Kind: libproto.RoomEventLeft, UserID: e.User, Name: name})
	}
	d.marks = append(d.marks, at)
}

func (d *feed) encodeRoomEvent(b libproto.RoomEvent) {
	b.RoomID = d.room
	d.bytes = appendPush(d.bytes, libproto.OpRoomEvent, b)
}

// pieceFor is what a member gets: the events at and after fromPos, and how many of them are messages. A user's own
// joining and leaving always lie before the fromPos of all its sessions: nobody is told of himself.
func (d *feed) pieceFor(fromPos uint64) (piece []byte, chats uint64) {
	first := 0
	if d.marks[0].pos < fromPos {
		first = sort.Search(len(d.marks), func(i int) bool { return d.marks[i].pos >= fromPos })
	}
	if first == len(d.marks) {
		return nil, 0
	}
	return d.bytes[d.marks[first].at:], d.chats - d.marks[first].chats
}

// deliverMail pushes the direct messages that have come, those to one session in one write.
func (w *Worker) deliverMail() {
	w.flush()
	w.feed.bytes = w.feed.bytes[:0]
	w.feed.mailTo = nil
	w.store.DrainMail(w.feed.visitMail)
	w.postMail()
}

// takeMail adds one entry of the mailbox to what its session gets.
func (w *Worker) takeMail(m shmstore.Mail) {
	d := &w.feed
	c := w.sessions[m.SessionRow]
	if c == nil || c.session.ID != m.SessionID || c.state != stateReady {
		return
	}
	if c != d.mailTo {
		w.postMail()
		d.mailTo = c
	}
	if m.Kind == shmstore.MailFence {
		w.postMail()
		if c.session.Epoch < m.Epoch {
			w.dismiss(c, libproto.GoingAwayResumed, resumedDetail)
		}
		return
	}
	d.bytes = appendPush(d.bytes, libproto.OpDirectMessage, libproto.DirectMessage{
		FromUserID: m.FromUser, FromName: w.segment.UserName(m.FromUser), TimeNs: m.TimeNs, Message: m.Message,
	})
	w.metrics.Add(shmstore.CounterMessagesDelivered, 1)
}

// postMail writes what has collected for one session.
func (w *Worker) postMail() {
	if d := &w.feed; d.mailTo != nil && len(d.bytes) > 0 {
		w.push(d.mailTo, d.bytes)
		d.bytes = d.bytes[:0]
	}
}

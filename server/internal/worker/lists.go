package worker

import (
	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// lists holds the rows of list requests while they are answered, at full capacity from the start.
type lists struct {
	bodyLenMax int

	history  []shmstore.HistoryRow
	txns     []libproto.TxnInfo
	legs     []shmstore.Leg
	outcomes []shmstore.LegResult
	results  []libproto.LegResult
	ids      []uint32
	users    []libproto.UserInfo
	rooms    []libproto.RoomInfo
	messages []libproto.RoomMessage
	text     []byte // of messages
	keep     func(shmstore.Event)
}

func (l *lists) init(w *Worker) {
	*l = lists{
		bodyLenMax: int(w.heritage.Config.BodyBytesMax),
		history:    make([]shmstore.HistoryRow, 0, libproto.ListRowsMax),
		txns:       make([]libproto.TxnInfo, 0, libproto.ListRowsMax),
		legs:       make([]shmstore.Leg, 0, libproto.BatchLegsMax),
		outcomes:   make([]shmstore.LegResult, 0, libproto.BatchLegsMax),
		results:    make([]libproto.LegResult, 0, libproto.BatchLegsMax),
		ids:        make([]uint32, 0, libproto.ListRowsMax),
		users:      make([]libproto.UserInfo, 0, libproto.ListRowsMax),
		rooms:      make([]libproto.RoomInfo, 0, libproto.ListRowsMax),
		messages:   make([]libproto.RoomMessage, 0, libproto.ListRowsMax),
		text:       make([]byte, 0, w.segment.Shape().RoomRingBytes),
	}
	l.keep = func(e shmstore.Event) { l.keepMessage(w, e) }
}

// countLen is the length of a list's count.
const countLen = 2

// fit is how many rows of a fixed length are answered when asked for.
func (l *lists) fit(asked uint16, rowLen int) int {
	return min(int(asked), libproto.ListRowsMax, (l.bodyLenMax-countLen)/rowLen)
}

func (w *Worker) roomList(r *request, q *libproto.RoomListRequest) {
	l := &w.lists
	l.rooms = l.rooms[:0]
	left := l.bodyLenMax - countLen
	for id := uint64(q.AfterRoomID) + 1; id <= uint64(w.segment.RoomCount()); id++ {
		r, _ := w.segment.Room(uint32(id))
		row := libproto.RoomInfo{RoomID: r.ID, Name: r.Name, MemberCount: r.Members, LastSeq: r.LastSeq}
		left -= row.EncodedLen()
		if left < 0 || len(l.rooms) == min(int(q.RowsMax), libproto.ListRowsMax) {
			break
		}
		l.rooms = append(l.rooms, row)
	}
	respond(w, r, libproto.RoomListResponse{Rooms: l.rooms})
}

func (w *Worker) who(r *request, q *libproto.WhoRequest) {
	l := &w.lists
	ids := l.ids[:0:min(int(q.RowsMax), libproto.ListRowsMax)]
	if q.RoomID == 0 {
		ids = w.store.OnlineUsers(q.AfterUserID, ids)
	} else if _, exists := w.segment.Room(q.RoomID); exists {
		ids = w.store.Members(q.RoomID, q.AfterUserID, ids)
	} else {
		w.refuse(r, shmstore.ErrNoRoom)
		return
	}
	l.users = l.users[:0]
	left := l.bodyLenMax - countLen
	for _, id := range ids {
		row := libproto.UserInfo{UserID: id, Username: w.segment.UserName(id)}
		if left -= row.EncodedLen(); left < 0 {
			break
		}
		l.users = append(l.users, row)
	}
	respond(w, r, libproto.WhoResponse{Users: l.users})
}

func (w *Worker) roomHistory(r *request, q *libproto.RoomHistoryRequest) {
	l := &w.lists
	if err := w.collect(q.RoomID, q.BeforeSeq, int(q.RowsMax)); err != nil {
		w.refuse(r, err)
		return
	}
	newest := newestWithin(l.bodyLenMax-countLen, l.messages, libproto.RoomMessage.EncodedLen)
	respond(w, r, libproto.RoomHistoryResponse{Messages: newest})
}

// collect takes messages of a room from before a room_seq into lists.messages, the oldest first.
func (w *Worker) collect(room uint32, before uint64, limit int) error {
	l := &w.lists
	l.messages, l.text = l.messages[:0], l.text[:0]
	return w.store.RoomHistory(room, before, min(limit, libproto.ListRowsMax), l.keep)
}

// keepMessage copies an event, whose bytes are about to go. Where text grows, earlier messages keep the old array.
func (l *lists) keepMessage(w *Worker, e shmstore.Event) {
	start := len(l.text)
	l.text = append(l.text, e.Message...)
	l.messages = append(l.messages, libproto.RoomMessage{
		RoomSeq: e.Seq, TimeNs: e.TimeNs, FromUserID: e.User, FromName: w.segment.UserName(e.User),
		Message: l.text[start:len(l.text):len(l.text)],
	})
}

type roomMessage = libproto.RoomMessage

// newestWithin returns the longest end of messages whose lengths add up to bytesMax at most: going back further is then
// a matter of asking again from the first of them.
func newestWithin(bytesMax int, messages []roomMessage, lenOf func(roomMessage) int) []roomMessage {
	first := len(messages)
	for first > 0 {
		if bytesMax -= lenOf(messages[first-1]); bytesMax < 0 {
			break
		}
		first--
	}
	return messages[first:]
}

// replay pushes the last messages of a room up to lastSeq, marked as such, after the answer to JOIN_ROOM.
func (w *Worker) replay(room uint32, lastSeq uint64, limit int) {
	if limit == 0 || lastSeq == 0 {
		return
	}
	if w.collect(room, lastSeq+1, limit) != nil {
		return // the room exists: it has just been joined
	}
	for _, m := range newestWithin(replayBytesMax, w.lists.messages, broadcastLen) {
		w.out = appendPush(w.out, libproto.OpChatBroadcast, libproto.ChatBroadcast{
			RoomID: room, RoomSeq: m.RoomSeq, TimeNs: m.TimeNs, Flags: libproto.ChatReplay,
			FromUserID: m.FromUserID, FromName: m.FromName, Message: m.Message,
		})
	}
}

// broadcastLen is the length of the CHAT_BROADCAST that replays m.
func broadcastLen(m roomMessage) int {
	return libproto.HeaderLen + m.EncodedLen() + 4 + 1 // and room_id and flags
}

// appendPush appends one frame that answers nothing.
func appendPush[B libproto.Body](dst []byte, op libproto.Opcode, b B) []byte {
	start := len(dst)
	dst = b.AppendTo(libproto.AppendHeader(dst, libproto.Header{Op: op}))
	libproto.Seal(dst[start:])
	return dst
}

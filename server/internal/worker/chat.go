package worker

import (
	"errors"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// joinRoom answers first, then replays; what happens in the room from now on comes by deliver.
// One who is in already is first sent what there is: the answer's last_seq is then what he has been sent up to.
func (w *Worker) joinRoom(c *conn, f *libproto.Frame, q *libproto.JoinRoomRequest) {
	if w.store.IsMember(c.session, q.RoomID) {
		w.deliver(q.RoomID)
	}
	joined, err := w.store.Join(c.session, q.RoomID)
	if err != nil {
		w.refuse(f, err)
		return
	}
	respond(w, f, libproto.JoinRoomResponse{LastSeq: joined.LastSeq, MemberCount: joined.Members})
	if joined.Already {
		return
	}
	w.seatIn(c, q.RoomID, joined.FromPos, joined.News)
	w.replay(q.RoomID, joined.LastSeq, int(q.ReplayCount))
}

// leaveRoom delivers what was sent before, while the connection is still a member.
func (w *Worker) leaveRoom(c *conn, f *libproto.Frame, q *libproto.LeaveRoomRequest) {
	if w.store.IsMember(c.session, q.RoomID) {
		w.deliver(q.RoomID)
	}
	if err := w.store.Leave(c.session, q.RoomID); err != nil {
		w.refuse(f, err)
		return
	}
	w.unseat(c, q.RoomID)
	respond(w, f, libproto.Empty{})
}

func (w *Worker) chatSend(c *conn, f *libproto.Frame, q *libproto.ChatSendRequest) {
	seq, timeNs, err := w.store.Send(c.session, q.RoomID, q.Message)
	if errors.Is(err, shmstore.ErrOwnBacklog) {
		w.deliver(q.RoomID)
		seq, timeNs, err = w.store.Send(c.session, q.RoomID, q.Message)
	}
	if err != nil {
		w.refuse(f, err)
		return
	}
	respond(w, f, libproto.ChatSendResponse{RoomSeq: seq, TimeNs: timeNs})
}

func (w *Worker) roomOpen(_ *conn, f *libproto.Frame, q *libproto.RoomOpenRequest) {
	room, created, err := w.store.OpenRoom(q.Name)
	if err != nil {
		w.refuse(f, err)
		return
	}
	w.committed = w.committed || created
	if w.promise(f, w.segment.RoomSeq(room)) {
		respond(w, f, libproto.RoomOpenResponse{RoomID: room, Created: created})
	}
}

func (w *Worker) directSend(c *conn, f *libproto.Frame, q *libproto.DirectSendRequest) {
	to, found := w.segment.FindUser(q.ToUsername)
	if !found {
		w.refuse(f, shmstore.ErrNoUser)
		return
	}
	reached, missed, timeNs, err := w.store.Direct(c.session.User, to, q.Message)
	if errors.Is(err, shmstore.ErrBusy) { // if it is our own mailbox that is full, we can empty it
		w.deliverMail()
		reached, missed, timeNs, err = w.store.Direct(c.session.User, to, q.Message)
	}
	if err != nil {
		w.refuse(f, err)
		return
	}
	respond(w, f, libproto.DirectSendResponse{SessionsReached: uint32(reached), SessionsMissed: uint32(missed), TimeNs: timeNs})
}

func (w *Worker) userLookup(_ *conn, f *libproto.Frame, q *libproto.UserLookupRequest) {
	user, found := w.segment.FindUser(q.Username)
	if !found {
		w.refuse(f, shmstore.ErrNoUser)
		return
	}
	respond(w, f, libproto.UserLookupResponse{UserID: user, Online: w.segment.Online(user)})
}

package worker

import (
	"errors"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// joinRoom answers first, then replays; what happens in the room from now on comes by deliver.
// One who is in already is first sent what there is: the answer's last_seq is then what he has been sent up to.
func (w *Worker) joinRoom(r *request, q *libproto.JoinRoomRequest) {
	if w.store.IsMember(r.c.session, q.RoomID) {
		w.deliver(q.RoomID)
	}
	joined, err := w.store.Join(r.c.session, q.RoomID)
	if err != nil {
		w.refuse(r, err)
		return
	}
	respond(w, r, libproto.JoinRoomResponse{LastSeq: joined.LastSeq, MemberCount: joined.Members})
	if joined.Already {
		return
	}
	w.seatIn(r.c, q.RoomID, joined.FromPos)
	w.replay(q.RoomID, joined.LastSeq, int(q.ReplayCount))
}

// leaveRoom delivers what was sent before, while the connection is still a member.
func (w *Worker) leaveRoom(r *request, q *libproto.LeaveRoomRequest) {
	if w.store.IsMember(r.c.session, q.RoomID) {
		w.deliver(q.RoomID)
	}
	if err := w.store.Leave(r.c.session, q.RoomID); err != nil {
		w.refuse(r, err)
		return
	}
	w.unseat(r.c, q.RoomID)
	respond(w, r, libproto.Empty{})
}

func (w *Worker) chatSend(r *request, q *libproto.ChatSendRequest) {
	seq, timeNs, err := w.store.Send(r.c.session, q.RoomID, q.Message)
	if errors.Is(err, shmstore.ErrOwnBacklog) {
		w.deliver(q.RoomID)
		seq, timeNs, err = w.store.Send(r.c.session, q.RoomID, q.Message)
	}
	if err != nil {
		w.refuse(r, err)
		return
	}
	respond(w, r, libproto.ChatSendResponse{RoomSeq: seq, TimeNs: timeNs})
}

func (w *Worker) roomOpen(r *request, q *libproto.RoomOpenRequest) {
	room, created, err := w.store.OpenRoom(q.Name)
	if err != nil {
		w.refuse(r, err)
		return
	}
	w.committed = w.committed || created
	if w.await(r, w.segment.RoomSeq(room)) {
		respond(w, r, libproto.RoomOpenResponse{RoomID: room, Created: created})
	}
}

func (w *Worker) directSend(r *request, q *libproto.DirectSendRequest) {
	to, found := w.segment.FindUser(q.ToUsername)
	if !found {
		w.refuse(r, shmstore.ErrNoUser)
		return
	}
	reached, timeNs, err := w.store.Direct(r.c.session.User, to, q.Message)
	if errors.Is(err, shmstore.ErrBusy) { // if it is our own mailbox that is full, we can empty it
		w.deliverMail()
		reached, timeNs, err = w.store.Direct(r.c.session.User, to, q.Message)
	}
	if err != nil {
		w.refuse(r, err)
		return
	}
	respond(w, r, libproto.DirectSendResponse{SessionsReached: uint8(min(reached, 255)), TimeNs: timeNs})
}

func (w *Worker) userLookup(r *request, q *libproto.UserLookupRequest) {
	user, found := w.segment.FindUser(q.Username)
	if !found {
		w.refuse(r, shmstore.ErrNoUser)
		return
	}
	respond(w, r, libproto.UserLookupResponse{UserID: user, Online: w.segment.Online(user)})
}

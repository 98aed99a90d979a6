package chatcheck

import (
	"bytes"
	"sync/atomic"
)

// Owner is the user that a connection is logged in as.
type Owner struct {
	UserID uint32
	Name   []byte
}

// Group is what the connections of a run have in common: who they are, their rooms, and what is wrong.
type Group struct {
	Faults Faults
	Codec  *Codec

	rooms  []*Room
	owners []Owner // by connection
	users  map[uint32]struct{}

	// Counts for the report; none of them is a fault by itself.
	Foreign   atomic.Uint64 // deliveries of messages by other users than ours
	Intervals atomic.Uint64 // memberships that began
	Gaps      atomic.Uint64 // gaps that were announced
	Recovered atomic.Uint64 // messages that ROOM_HISTORY brought back
}

// NewGroup makes the group of len(owners) connections, at most ConnectionsMax, and of the rooms with these ids on the
// wire, each with size members, which is at most len(owners). Room r has the connections r·size … r·size+size-1,
// counted around: every connection is in a room if len(roomIDs)·size ≥ len(owners).
func NewGroup(codec *Codec, owners []Owner, roomIDs []uint32, size int) *Group {
	g := &Group{Codec: codec, owners: owners, users: make(map[uint32]struct{})}
	for _, owner := range owners {
		g.users[owner.UserID] = struct{}{}
	}
	for r, id := range roomIDs {
		g.rooms = append(g.rooms, newRoom(g, id, r*size%len(owners), size))
	}
	return g
}

// Join returns a connection's memberships to be, one for each of its rooms.
func (g *Group) Join(conn uint32) (members []Member) {
	for _, room := range g.rooms {
		if seat, ok := room.seatOf(conn); ok {
			members = append(members, Member{room: room, seat: seat, conn: conn})
		}
	}
	return members
}

// Rooms is the number of rooms.
func (g *Group) Rooms() int { return len(g.rooms) }

// identify reads a message that arrived in a room and says what is wrong with it.
func (g *Group) identify(room *Room, fromUser uint32, fromName, text []byte) ID {
	id, ok := g.Codec.Parse(room.id, text)
	switch {
	case !ok && g.isOurs(fromUser):
		g.Faults.report(Corrupt, "room %d: user %d (%s) is said to have sent %.80q", room.id, fromUser, fromName, text)
	case !ok:
		g.Foreign.Add(1)
	case !g.sentBy(id.Conn(), fromUser, fromName):
		g.Faults.report(Corrupt, "room %d: message %d of connection %d comes as from user %d (%s)",
			room.id, id.Serial(), id.Conn(), fromUser, fromName)
	}
	return id
}

func (g *Group) isOurs(user uint32) bool {
	_, ours := g.users[user]
	return ours
}

func (g *Group) sentBy(conn, user uint32, name []byte) bool {
	return int(conn) < len(g.owners) && g.owners[conn].UserID == user && bytes.Equal(g.owners[conn].Name, name)
}

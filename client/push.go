package client

import (
	"fmt"
	"time"

	"tradechat.internal/libproto"
)

// Push is something that happened without having been asked for: a *ChatMessage, *DirectMessage, *MemberChange, *Gap,
// *RoomReset, *RoomLost, *GoingAway, *Disconnected, *Reconnected or *Dropped.
type Push interface{ push() }

// ChatMessage is a message in a room that the session is in; one's own come too.
type ChatMessage struct {
	RoomID     uint32
	Seq        uint64 // 1, 2, 3 … in each room
	Time       time.Time
	Replay     bool // it was sent before this session joined
	FromUserID uint32
	From       string
	Text       string // written by another user: escape it before showing it on a terminal
}

// DirectMessage is a message to this user alone, to all of the user's sessions.
type DirectMessage struct {
	FromUserID uint32
	From       string
	Time       time.Time
	Text       string // written by another user: escape it before showing it on a terminal
}

// MemberChange says that a user came into a room or left it; rooms with many members do without.
type MemberChange struct {
	RoomID uint32
	UserID uint32
	Name   string
	Joined bool // false: left
}

// GapCause says who skipped the messages of a Gap.
type GapCause uint8

const (
	GapServer   GapCause = 1 + iota // the server, which could not keep up for this connection
	GapLost                         // nobody: they came while the connection was lost
	GapOverflow                     // this client, since the consumer of Pushes did not keep up
)

var gapCauseNames = [...]string{GapServer: "server", GapLost: "connection lost", GapOverflow: "overflow"}

func (c GapCause) String() string {
	if int(c) < len(gapCauseNames) {
		return gapCauseNames[c]
	}
	return fmt.Sprintf("cause(%d)", uint8(c))
}

// Gap says which messages of a room will not come. HistoryBetween brings them back while the server retains them.
type Gap struct {
	RoomID            uint32
	FirstSeq, LastSeq uint64
	Cause             GapCause
}

// RoomReset says that a room's messages are counted anew: the server was restarted from disk, and chat is not kept there.
// What comes next has the seq after LastSeq.
type RoomReset struct {
	RoomID  uint32
	LastSeq uint64
}

// RoomLost says that a room could not be joined again after the connection was lost.
type RoomLost struct {
	RoomID uint32
	Err    error
}

// GoingAway says that the server is about to end the connection.
type GoingAway struct {
	Reason         libproto.GoingAwayReason
	ReconnectAfter time.Duration
	Detail         string
}

// Disconnected says that the connection was lost. If Config.ReconnectFor is not 0 the Client tries to come back: then a
// Reconnected follows, or the end of Pushes.
type Disconnected struct {
	Err error
}

// Reconnected says that the client is back. The Gaps of its rooms come before.
type Reconnected struct {
	Session Session // with its old id if it was resumed
	Resumed bool
}

// Dropped counts pushes that were dropped since the consumer of Pushes did not keep up, and that nothing brings back.
// Room messages are not among them: those are told as Gaps.
type Dropped struct {
	DirectMessages int
	Other          int
}

func (*ChatMessage) push()   {}
func (*DirectMessage) push() {}
func (*MemberChange) push()  {}
func (*Gap) push()           {}
func (*RoomReset) push()     {}
func (*RoomLost) push()      {}
func (*GoingAway) push()     {}
func (*Disconnected) push()  {}
func (*Reconnected) push()   {}
func (*Dropped) push()       {}

// decodePush makes a Push of a frame, whose body it does not keep. A push that this version does not know is nil.
func decodePush(f libproto.Frame) (Push, error) {
	switch f.Op {
	case libproto.OpChatBroadcast:
		return decodeChat(f.Body)
	case libproto.OpDirectMessage:
		return decodeDirect(f.Body)
	case libproto.OpRoomEvent:
		return decodeRoomEvent(f.Body)
	case libproto.OpGoingAway:
		return decodeGoingAway(f.Body)
	}
	return nil, nil
}

func decodeChat(body []byte) (Push, error) {
	var b libproto.ChatBroadcast
	if err := b.Decode(body); err != nil {
		return nil, unreadable(libproto.OpChatBroadcast, err)
	}
	return &ChatMessage{
		RoomID:     b.RoomID,
		Seq:        b.RoomSeq,
		Time:       timeOf(b.TimeNs),
		Replay:     b.Flags&libproto.ChatReplay != 0,
		FromUserID: b.FromUserID,
		From:       string(b.FromName),
		Text:       string(b.Message),
	}, nil
}

func decodeDirect(body []byte) (Push, error) {
	var b libproto.DirectMessage
	if err := b.Decode(body); err != nil {
		return nil, unreadable(libproto.OpDirectMessage, err)
	}
	return &DirectMessage{FromUserID: b.FromUserID, From: string(b.FromName), Time: timeOf(b.TimeNs), Text: string(b.Message)}, nil
}

func decodeRoomEvent(body []byte) (Push, error) {
	var b libproto.RoomEvent
	if err := b.Decode(body); err != nil {
		return nil, unreadable(libproto.OpRoomEvent, err)
	}
	switch b.Kind {
	case libproto.RoomEventJoined, libproto.RoomEventLeft:
		joined := b.Kind == libproto.RoomEventJoined
		return &MemberChange{RoomID: b.RoomID, UserID: b.UserID, Name: string(b.Name), Joined: joined}, nil
	case libproto.RoomEventGap:
		return &Gap{RoomID: b.RoomID, FirstSeq: b.FirstSeq, LastSeq: b.LastSeq, Cause: GapServer}, nil
	}
	return nil, nil
}

func decodeGoingAway(body []byte) (*GoingAway, error) {
	var b libproto.GoingAway
	if err := b.Decode(body); err != nil {
		return nil, unreadable(libproto.OpGoingAway, err)
	}
	after := time.Duration(b.ReconnectAfterMs) * time.Millisecond
	return &GoingAway{Reason: b.Reason, ReconnectAfter: after, Detail: string(b.Detail)}, nil
}

func unreadable(op libproto.Opcode, err error) error {
	return fmt.Errorf("%w: unreadable push %v: %w", ErrProtocol, op, err)
}

// timeOf is the wire's time; what does not fit into an int64 (after the year 2262) comes out as one before 1970.
func timeOf(ns uint64) time.Time { return time.Unix(0, int64(ns)) }

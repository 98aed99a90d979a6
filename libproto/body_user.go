package libproto

import "slices"

// WhoRequest asks who is online, in a room or on the whole server, in ascending order of the users' ids.
type WhoRequest struct {
	RoomID      uint32 // 0: the whole server
	AfterUserID uint32 // 0: from the first
	RowsMax     uint16
}

func (b WhoRequest) AppendTo(dst []byte) []byte {
	dst = be.AppendUint32(be.AppendUint32(dst, b.RoomID), b.AfterUserID)
	return be.AppendUint16(dst, b.RowsMax)
}

func (b *WhoRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = WhoRequest{RoomID: c.u32(), AfterUserID: c.u32(), RowsMax: c.u16()}
	return c.end()
}

// UserInfo is one user of a list.
type UserInfo struct {
	UserID   uint32
	Username []byte // str, a name
}

const userInfoLenMin = 4 + 2

// EncodedLen returns the row's length on the wire, in bytes.
func (u UserInfo) EncodedLen() int { return userInfoLenMin + len(u.Username) }

// WhoResponse lists users, each once however many sessions it has.
type WhoResponse struct {
	Users []UserInfo
}

func (b WhoResponse) AppendTo(dst []byte) []byte {
	dst = appendLen(dst, len(b.Users))
	for i := range b.Users {
		dst = appendBytes(be.AppendUint32(dst, b.Users[i].UserID), b.Users[i].Username)
	}
	return dst
}

func (b *WhoResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	n := c.count(userInfoLenMin)
	b.Users = slices.Grow(b.Users[:0], n)
	for range n {
		b.Users = append(b.Users, UserInfo{UserID: c.u32(), Username: c.str()})
	}
	return c.end()
}

// UserLookupRequest finds a user by name.
type UserLookupRequest struct {
	Username []byte // str, a name
}

func (b UserLookupRequest) AppendTo(dst []byte) []byte { return appendBytes(dst, b.Username) }

func (b *UserLookupRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = UserLookupRequest{Username: c.str()}
	return c.end()
}

// UserLookupResponse tells the user's id and whether it has a live session.
type UserLookupResponse struct {
	UserID uint32
	Online bool
}

func (b UserLookupResponse) AppendTo(dst []byte) []byte {
	return appendBool(be.AppendUint32(dst, b.UserID), b.Online)
}

func (b *UserLookupResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = UserLookupResponse{UserID: c.u32(), Online: c.bool()}
	return c.end()
}

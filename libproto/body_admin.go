package libproto

// UserAddRequest makes an account for somebody.
type UserAddRequest struct {
	Username             []byte // str, a name
	StoredKey, ServerKey [KeyLen]byte
	OpeningDeposit       uint64 // minor units, 0 … AmountMax
}

func (b UserAddRequest) AppendTo(dst []byte) []byte {
	dst = appendBytes(dst, b.Username)
	dst = appendBytes(dst, b.StoredKey[:])
	dst = appendBytes(dst, b.ServerKey[:])
	return be.AppendUint64(dst, b.OpeningDeposit)
}

func (b *UserAddRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = UserAddRequest{Username: c.str(), StoredKey: c.key(), ServerKey: c.key(), OpeningDeposit: c.u64()}
	return c.end()
}

// UserAddResponse tells the new user's id, as REGISTER's does.
type UserAddResponse = RegisterResponse

// UserSetKeysRequest replaces a user's keys: a new password. It has the shape of REGISTER's.
type UserSetKeysRequest = RegisterRequest

// ServerStatsResponse holds the server's counters.
type ServerStatsResponse struct {
	JSON []byte // bytes: at most FieldLenMax of them
}

func (b ServerStatsResponse) AppendTo(dst []byte) []byte { return appendBytes(dst, b.JSON) }

func (b *ServerStatsResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = ServerStatsResponse{JSON: c.bytes()}
	return c.end()
}

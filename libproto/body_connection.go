package libproto

// Capabilities are what a peer can do; a HELLO response holds those that both have.
type Capabilities uint32

const (
	CapEncryption Capabilities = 1 << iota
	CapCompression
	CapResume
	CapBatch
)

var capabilityNames = []string{"encryption", "compression", "resume", "batch"}

// String returns the names of the set bits joined by "|", such as "resume|batch".
func (c Capabilities) String() string { return bitNames(capabilityNames, uint(c)) }

// GoingAwayReason says why a server ends a connection.
type GoingAwayReason uint16

const (
	GoingAwayShutdown GoingAwayReason = 1 + iota
	GoingAwayIdle
	GoingAwaySlowConsumer
	GoingAwayResumed // the session was resumed on another connection
	GoingAwayAbuse
)

var goingAwayNames = []string{"", "shutdown", "idle", "slow consumer", "session resumed elsewhere", "protocol abuse"}

// String returns the reason in words, such as "slow consumer"; an unknown one is "reason(9)".
func (r GoingAwayReason) String() string { return nameOf(goingAwayNames, "reason", uint(r)) }

// HelloRequest opens a connection: what the client speaks and can do.
type HelloRequest struct {
	VersionMin, VersionMax uint8 // 1
	Capabilities           Capabilities
	ClientNonce            [NonceLen]byte
	Handshake              []byte // bytes; empty without encryption
	Agent                  []byte // str: the program and its version
}

func (b HelloRequest) AppendTo(dst []byte) []byte {
	dst = append(dst, b.VersionMin, b.VersionMax)
	dst = be.AppendUint32(dst, uint32(b.Capabilities))
	dst = appendBytes(dst, b.ClientNonce[:])
	dst = appendBytes(dst, b.Handshake)
	return appendBytes(dst, b.Agent)
}

func (b *HelloRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = HelloRequest{
		VersionMin:   c.u8(),
		VersionMax:   c.u8(),
		Capabilities: Capabilities(c.u32()),
		ClientNonce:  c.key(),
		Handshake:    c.bytes(),
		Agent:        c.str(),
	}
	return c.end()
}

// HelloResponse says what was agreed, the limits in force, and what LOGIN needs.
type HelloResponse struct {
	Version             uint8
	Capabilities        Capabilities // what both have
	BodyLenMax          uint32       // bytes, in force after LOGIN
	MessageLenMax       uint32       // bytes of a chat message
	HeartbeatIntervalMs uint32
	IdleTimeoutMs       uint32
	ServerNonce         [NonceLen]byte
	RealmSalt           [SaltLen]byte
	KDFIterations       uint32
	Handshake           []byte // bytes; empty without encryption
	Agent               []byte // str
}

func (b HelloResponse) AppendTo(dst []byte) []byte {
	dst = append(dst, b.Version)
	dst = be.AppendUint32(dst, uint32(b.Capabilities))
	dst = be.AppendUint32(dst, b.BodyLenMax)
	dst = be.AppendUint32(dst, b.MessageLenMax)
	dst = be.AppendUint32(dst, b.HeartbeatIntervalMs)
	dst = be.AppendUint32(dst, b.IdleTimeoutMs)
	dst = appendBytes(dst, b.ServerNonce[:])
	dst = appendBytes(dst, b.RealmSalt[:])
	dst = be.AppendUint32(dst, b.KDFIterations)
	dst = appendBytes(dst, b.Handshake)
	return appendBytes(dst, b.Agent)
}

func (b *HelloResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = HelloResponse{
		Version:             c.u8(),
		Capabilities:        Capabilities(c.u32()),
		BodyLenMax:          c.u32(),
		MessageLenMax:       c.u32(),
		HeartbeatIntervalMs: c.u32(),
		IdleTimeoutMs:       c.u32(),
		ServerNonce:         c.key(),
		RealmSalt:           c.salt(),
		KDFIterations:       c.u32(),
		Handshake:           c.bytes(),
		Agent:               c.str(),
	}
	return c.end()
}

// LoginRequest proves that the client knows the password, and asks for a session.
type LoginRequest struct {
	Username        []byte       // str, a name
	Proof           [KeyLen]byte // see Proof
	ResumeSessionID uint64       // 0: a new session
}

func (b LoginRequest) AppendTo(dst []byte) []byte {
	dst = appendBytes(dst, b.Username)
	dst = appendBytes(dst, b.Proof[:])
	return be.AppendUint64(dst, b.ResumeSessionID)
}

func (b *LoginRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = LoginRequest{Username: c.str(), Proof: c.key(), ResumeSessionID: c.u64()}
	return c.end()
}

// LoginResponse tells the session, and proves that the server knows the user's keys.
type LoginResponse struct {
	UserID          uint32
	SessionID       uint64
	LastReqID       uint64       // the highest req_id of a money request that the session applied: use higher ones
	Balance         int64        // minor units
	ServerSignature [KeyLen]byte // see ServerSignature
}

func (b LoginResponse) AppendTo(dst []byte) []byte {
	dst = be.AppendUint32(dst, b.UserID)
	dst = be.AppendUint64(dst, b.SessionID)
	dst = be.AppendUint64(dst, b.LastReqID)
	dst = be.AppendUint64(dst, uint64(b.Balance))
	return appendBytes(dst, b.ServerSignature[:])
}

func (b *LoginResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = LoginResponse{
		UserID:          c.u32(),
		SessionID:       c.u64(),
		LastReqID:       c.u64(),
		Balance:         c.i64(),
		ServerSignature: c.key(),
	}
	return c.end()
}

// HeartbeatRequest keeps a connection from idling out.
type HeartbeatRequest struct {
	ClientTimeNs uint64 // the sender's clock, since the Unix epoch
}

func (b HeartbeatRequest) AppendTo(dst []byte) []byte {
	return be.AppendUint64(dst, b.ClientTimeNs)
}

func (b *HeartbeatRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = HeartbeatRequest{ClientTimeNs: c.u64()}
	return c.end()
}

// HeartbeatResponse echoes the client's time beside the server's.
type HeartbeatResponse struct {
	ClientTimeNs, ServerTimeNs uint64
}

func (b HeartbeatResponse) AppendTo(dst []byte) []byte {
	return be.AppendUint64(be.AppendUint64(dst, b.ClientTimeNs), b.ServerTimeNs)
}

func (b *HeartbeatResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = HeartbeatResponse{ClientTimeNs: c.u64(), ServerTimeNs: c.u64()}
	return c.end()
}

// RegisterRequest brings the keys of a user's password.
type RegisterRequest struct {
	Username             []byte // str, a name
	StoredKey, ServerKey [KeyLen]byte
}

func (b RegisterRequest) AppendTo(dst []byte) []byte {
	dst = appendBytes(dst, b.Username)
	dst = appendBytes(dst, b.StoredKey[:])
	return appendBytes(dst, b.ServerKey[:])
}

func (b *RegisterRequest) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = RegisterRequest{Username: c.str(), StoredKey: c.key(), ServerKey: c.key()}
	return c.end()
}

// RegisterResponse tells the new user's id.
type RegisterResponse struct {
	UserID uint32
}

func (b RegisterResponse) AppendTo(dst []byte) []byte { return be.AppendUint32(dst, b.UserID) }

func (b *RegisterResponse) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = RegisterResponse{UserID: c.u32()}
	return c.end()
}

// GoingAway is the push that comes before the server closes a connection of its own accord.
type GoingAway struct {
	Reason           GoingAwayReason
	ReconnectAfterMs uint32
	Detail           []byte // str, for a person
}

func (b GoingAway) AppendTo(dst []byte) []byte {
	dst = be.AppendUint16(dst, uint16(b.Reason))
	dst = be.AppendUint32(dst, b.ReconnectAfterMs)
	return appendBytes(dst, b.Detail)
}

func (b *GoingAway) Decode(body []byte) error {
	c := cursor{rest: body}
	*b = GoingAway{Reason: GoingAwayReason(c.u16()), ReconnectAfterMs: c.u32(), Detail: c.str()}
	return c.end()
}

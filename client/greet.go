package client

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"fmt"
	"time"

	"tradechat.internal/libproto"
)

// capabilities are what this client can do.
const capabilities = libproto.CapBatch | libproto.CapResume

// noBinding is the channel binding of a plain connection.
var noBinding [libproto.KeyLen]byte

// ServerInfo is what a server says of itself in HELLO.
type ServerInfo struct {
	Agent             string // from the server: escape it before showing it
	Version           uint8  // of the protocol
	Capabilities      libproto.Capabilities
	BodyLenMax        uint32 // bytes
	MessageLenMax     uint32 // bytes
	HeartbeatInterval time.Duration
	IdleTimeout       time.Duration
	RealmSalt         [libproto.SaltLen]byte
	KDFIterations     int
}

// DeriveKeys makes a user's keys from a password, as this server's users have them. It takes a good part of a second.
func (s ServerInfo) DeriveKeys(user, password string) (libproto.Keys, error) {
	if err := checkName("user name", user); err != nil {
		return libproto.Keys{}, err
	}
	if password == "" {
		return libproto.Keys{}, fmt.Errorf("%w: the password is empty", ErrInvalidArgument)
	}
	keys, err := libproto.DeriveKeys(password, user, s.RealmSalt, s.KDFIterations)
	if err != nil {
		return keys, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return keys, nil
}

// Session is a login.
type Session struct {
	User         string
	UserID       uint32
	ID           uint64
	LastReqID    uint64 // the highest req_id of a money request that the session had applied at login
	BalanceMinor int64  // at login
}

// credentials are what logs a user in again without the password.
type credentials struct {
	user string
	keys libproto.Keys
}

// greeting is what both sides said in HELLO.
type greeting struct {
	info                     ServerInfo
	clientNonce, serverNonce [libproto.NonceLen]byte
}

// caller makes one request: a link as it is, a Client with waiting and repeating.
type caller interface {
	call(ctx context.Context, op libproto.Opcode, req libproto.Body, resp libproto.DecodableBody, hook func(libproto.Frame) error) error
}

// ask makes a request whose response is an R.
func ask[R any, P interface {
	*R
	libproto.DecodableBody
}](ctx context.Context, c caller, op libproto.Opcode, req libproto.Body) (resp R, err error) {
	err = c.call(ctx, op, req, P(&resp), nil)
	return resp, err
}

// greet says HELLO and raises what the link takes to what the server announced.
func greet(ctx context.Context, l *link, agent string) (greeting, error) {
	var g greeting
	rand.Read(g.clientNonce[:])
	r, err := ask[libproto.HelloResponse](ctx, l, libproto.OpHello, libproto.HelloRequest{
		VersionMin:   libproto.Version,
		VersionMax:   libproto.Version,
		Capabilities: capabilities,
		ClientNonce:  g.clientNonce,
		Agent:        []byte(agent),
	})
	if err != nil {
		return g, err
	}
	if err := checkHello(r); err != nil {
		return g, err
	}
	l.receiveMax.Store(r.BodyLenMax)
	g.serverNonce = r.ServerNonce
	g.info = ServerInfo{
		Agent:             string(r.Agent),
		Version:           r.Version,
		Capabilities:      r.Capabilities,
		BodyLenMax:        r.BodyLenMax,
		MessageLenMax:     r.MessageLenMax,
		HeartbeatInterval: time.Duration(r.HeartbeatIntervalMs) * time.Millisecond,
		IdleTimeout:       time.Duration(r.IdleTimeoutMs) * time.Millisecond,
		RealmSalt:         r.RealmSalt,
		KDFIterations:     int(r.KDFIterations),
	}
	return g, nil
}

// checkHello refuses what this client did not offer or could not live with.
func checkHello(r libproto.HelloResponse) error {
	switch {
	case r.Version != libproto.Version:
		return fmt.Errorf("%w: HELLO chose version %d, offered was %d", ErrProtocol, r.Version, libproto.Version)
	case r.Capabilities&^capabilities != 0:
		return fmt.Errorf("%w: HELLO grants %v, offered were %v", ErrProtocol, r.Capabilities, capabilities)
	case len(r.Handshake) != 0:
		return fmt.Errorf("%w: HELLO has a handshake without encryption", ErrProtocol)
	case r.BodyLenMax < libproto.BodyLenMaxBeforeLogin || r.BodyLenMax > bodyLenCeiling:
		return fmt.Errorf("%w: HELLO announces max_body_len %d, want %d … %d", ErrProtocol, r.BodyLenMax,
			libproto.BodyLenMaxBeforeLogin, bodyLenCeiling)
	}
	return nil
}

// logIn proves c and takes a session; resume is the session to take over, 0 for a new one. The link is ended if the
// server does not prove in turn that it knows the user.
func logIn(ctx context.Context, via caller, l *link, g greeting, c credentials, resume uint64) (Session, error) {
	user := []byte(c.user)
	r, err := ask[libproto.LoginResponse](ctx, via, libproto.OpLogin, libproto.LoginRequest{
		Username:        user,
		Proof:           libproto.Proof(c.keys, g.clientNonce, g.serverNonce, noBinding, user),
		ResumeSessionID: resume,
	})
	if err != nil {
		return Session{}, err
	}
	want := libproto.ServerSignature(c.keys.Server, g.clientNonce, g.serverNonce, noBinding, user)
	if !hmac.Equal(want[:], r.ServerSignature[:]) {
		err := fmt.Errorf("LOGIN of %s: %w", c.user, ErrServerSignature)
		l.fail(err)
		return Session{}, err
	}
	l.sendMax.Store(g.info.BodyLenMax)
	l.sessionID.Store(r.SessionID)
	l.skipTo(r.LastReqID)
	return Session{User: c.user, UserID: r.UserID, ID: r.SessionID, LastReqID: r.LastReqID, BalanceMinor: r.Balance}, nil
}

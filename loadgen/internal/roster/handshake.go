package roster

import (
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"

	"tradechat.internal/libproto"
)

// Agent is how the load generator introduces itself.
const Agent = "tradechat-loadgen"

var (
	// ErrHello is the error of a HELLO response that cannot be lived with.
	ErrHello = errors.New("unusable HELLO response")

	// ErrImpostor is the error of a server that does not know the user's keys.
	ErrImpostor = errors.New("the server's signature is wrong: it does not know the user's keys")
)

// plain is the channel binding of a connection without encryption.
var plain [libproto.KeyLen]byte

// Handshake is the part of one connection's login that needs to be remembered: two nonces.
type Handshake struct {
	client, server [libproto.NonceLen]byte
}

// Hello begins a handshake, with a new nonce. Neither encryption nor compression is offered.
func (h *Handshake) Hello() libproto.HelloRequest {
	_, _ = rand.Read(h.client[:]) // never fails: crypto/rand ends the process instead
	return libproto.HelloRequest{
		VersionMin:  libproto.Version,
		VersionMax:  libproto.Version,
		ClientNonce: h.client,
		Agent:       []byte(Agent),
	}
}

// Greeted takes HELLO's answer.
func (h *Handshake) Greeted(answer *libproto.HelloResponse) (Realm, error) {
	if answer.Version != libproto.Version || answer.Capabilities != 0 || len(answer.Handshake) != 0 {
		return Realm{}, fmt.Errorf("%w: version %d, capabilities %q, handshake of %d bytes; offered: version %d, nothing else",
			ErrHello, answer.Version, answer.Capabilities, len(answer.Handshake), libproto.Version)
	}
	h.server = answer.ServerNonce
	return Realm{
		Salt:          answer.RealmSalt,
		Iterations:    int(answer.KDFIterations),
		BodyLenMax:    answer.BodyLenMax,
		MessageLenMax: answer.MessageLenMax,
	}, nil
}

// Login is the request for a new session of a user.
func (h *Handshake) Login(user *User) libproto.LoginRequest {
	return libproto.LoginRequest{
		Username: user.Name,
		Proof:    libproto.Proof(user.Keys, h.client, h.server, plain, user.Name),
	}
}

// Check says whether LOGIN's answer comes from who knows the user's keys.
func (h *Handshake) Check(user *User, answer *libproto.LoginResponse) error {
	want := libproto.ServerSignature(user.Keys.Server, h.client, h.server, plain, user.Name)
	if !hmac.Equal(want[:], answer.ServerSignature[:]) {
		return fmt.Errorf("%w: %s", ErrImpostor, user.Name)
	}
	return nil
}

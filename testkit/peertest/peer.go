// Package peertest is the other end of a client's tests: a peer that speaks the real protocol over real loopback TCP or
// Unix sockets, whose every answer a test can replace. It greets, registers and logs in like a server; what else it is
// asked it answers as the test's handlers say, or with ERR_UNSUPPORTED.
//
// A connection's frames are handled one after the other on a goroutine of its own. A handler may answer at once, later,
// never, or in another order, push, send garbage, and close.
package peertest

import (
	"crypto/rand"
	"net"
	"sync"
	"testing"
	"time"

	"tradechat.internal/libproto"
)

// KDFIterations is the least that a client accepts: tests need no strong keys.
const KDFIterations = libproto.KDFIterationsMin

// Handler deals with one request. f.Body is the handler's own.
type Handler func(c *Conn, f libproto.Frame)

// Peer listens and remembers users. Its methods may be called from any goroutine.
type Peer struct {
	Addr string

	t         testing.TB
	listener  net.Listener
	accepting sync.WaitGroup
	serving   sync.WaitGroup
	accepted  chan *Conn

	mu       sync.Mutex
	hello    libproto.HelloResponse
	handlers map[libproto.Opcode]Handler
	users    map[string]user
	conns    []*Conn
	sessions uint64
}

type user struct {
	id   uint32
	keys libproto.Keys // without Client
}

// acceptedMax bounds the connections that a test has not taken from Accept.
const acceptedMax = 1024

// Listen starts a peer on a free port of the loopback address; it ends with the test.
func Listen(t testing.TB) *Peer {
	t.Helper()
	return listen(t, "tcp", "127.0.0.1:0")
}

// ListenUnix starts a peer on a Unix socket.
func ListenUnix(t testing.TB, path string) *Peer {
	t.Helper()
	return listen(t, "unix", path)
}

func listen(t testing.TB, network, addr string) *Peer {
	t.Helper()
	listener, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &Peer{
		Addr:     listener.Addr().String(),
		t:        t,
		listener: listener,
		accepted: make(chan *Conn, acceptedMax),
		users:    make(map[string]user),
		hello: libproto.HelloResponse{
			Version:             libproto.Version,
			Capabilities:        libproto.CapBatch,
			BodyLenMax:          libproto.BodyLenMaxDefault,
			MessageLenMax:       4096,
			HeartbeatIntervalMs: 15_000,
			IdleTimeoutMs:       45_000,
			RealmSalt:           [libproto.SaltLen]byte{1, 2, 3},
			KDFIterations:       KDFIterations,
			Agent:               []byte("peertest/1"),
		},
	}
	p.handlers = map[libproto.Opcode]Handler{
		libproto.OpHello:     p.greet,
		libproto.OpLogin:     p.logIn,
		libproto.OpRegister:  p.register,
		libproto.OpLogout:    func(c *Conn, f libproto.Frame) { c.Reply(f, libproto.Empty{}) },
		libproto.OpHeartbeat: beat,
	}
	p.accepting.Go(p.accept)
	t.Cleanup(p.Close)
	return p
}

// Close ends the listener and every connection, and waits for the handlers.
func (p *Peer) Close() {
	p.listener.Close()
	p.accepting.Wait()
	p.CloseConns()
	p.serving.Wait()
}

// CloseConns ends every connection; new ones are still accepted.
func (p *Peer) CloseConns() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// Handle sets what is done with op; nil answers ERR_UNSUPPORTED.
func (p *Peer) Handle(op libproto.Opcode, h Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[op] = h
}

// Answer lets op be answered with body.
func (p *Peer) Answer(op libproto.Opcode, body libproto.Body) {
	p.Handle(op, func(c *Conn, f libproto.Frame) { c.Reply(f, body) })
}

// SetHello changes what HELLO is answered with; the nonce is made for each connection.
func (p *Peer) SetHello(change func(*libproto.HelloResponse)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.hello)
}

// AddUser makes a user who can log in, and returns the id. A user that there is stays as it is.
func (p *Peer) AddUser(name, password string) uint32 {
	p.mu.Lock()
	salt := p.hello.RealmSalt
	u, known := p.users[name]
	p.mu.Unlock()
	if known {
		return u.id
	}
	keys, err := libproto.DeriveKeys(password, name, salt, KDFIterations)
	if err != nil {
		p.t.Error(err)
	}
	id, _ := p.add(name, keys.Stored, keys.Server)
	return id
}

// SetServerKey makes the peer one that does not know the user's server key.
func (p *Peer) SetServerKey(name string, key [libproto.KeyLen]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.users[name]
	u.keys.Server = key
	p.users[name] = u
}

// Accept waits for the next connection, in the order in which they came.
func (p *Peer) Accept() *Conn {
	p.t.Helper()
	select {
	case c := <-p.accepted:
		return c
	case <-time.After(Patience):
		p.t.Fatal("no connection came")
		return nil
	}
}

// Patience is how long the tests wait for what has to come.
const Patience = 20 * time.Second

func (p *Peer) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		c := &Conn{net: conn, peer: p}
		p.mu.Lock()
		p.conns = append(p.conns, c)
		p.mu.Unlock()
		p.accepted <- c
		p.serving.Go(c.serve)
	}
}

func (p *Peer) handler(op libproto.Opcode) Handler {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.handlers[op]
}

func (p *Peer) greet(c *Conn, f libproto.Frame) {
	var req libproto.HelloRequest
	if err := req.Decode(f.Body); err != nil {
		p.t.Errorf("HELLO: %v", err)
	}
	p.mu.Lock()
	reply := p.hello
	p.mu.Unlock()
	rand.Read(reply.ServerNonce[:])
	c.clientNonce, c.serverNonce = req.ClientNonce, reply.ServerNonce
	c.Reply(f, reply)
}

// LogIn is the standard handler of LOGIN, for handlers that wrap it.
func (p *Peer) LogIn(c *Conn, f libproto.Frame) { p.logIn(c, f) }

func (p *Peer) logIn(c *Conn, f libproto.Frame) {
	var req libproto.LoginRequest
	if err := req.Decode(f.Body); err != nil {
		p.t.Errorf("LOGIN: %v", err)
	}
	p.mu.Lock()
	u, known := p.users[string(req.Username)]
	p.sessions++
	session := p.sessions
	p.mu.Unlock()
	var binding [libproto.KeyLen]byte
	if !known || !libproto.VerifyProof(u.keys.Stored, req.Proof, c.clientNonce, c.serverNonce, binding, req.Username) {
		c.Refuse(f, libproto.StatusUnauthorized, 0, "wrong name or password")
		return
	}
	c.Reply(f, libproto.LoginResponse{
		UserID:          u.id,
		SessionID:       session,
		Balance:         100_00,
		ServerSignature: libproto.ServerSignature(u.keys.Server, c.clientNonce, c.serverNonce, binding, req.Username),
	})
}

func (p *Peer) register(c *Conn, f libproto.Frame) {
	var req libproto.RegisterRequest
	if err := req.Decode(f.Body); err != nil {
		p.t.Errorf("REGISTER: %v", err)
	}
	id, added := p.add(string(req.Username), req.StoredKey, req.ServerKey)
	if !added {
		c.Refuse(f, libproto.StatusAlreadyExists, 0, "the name is taken")
		return
	}
	c.Reply(f, libproto.RegisterResponse{UserID: id})
}

func (p *Peer) add(name string, stored, server [libproto.KeyLen]byte) (id uint32, added bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u, taken := p.users[name]; taken {
		return u.id, false
	}
	id = uint32(len(p.users) + 1)
	p.users[name] = user{id: id, keys: libproto.Keys{Stored: stored, Server: server}}
	return id, true
}

func beat(c *Conn, f libproto.Frame) {
	var req libproto.HeartbeatRequest
	if err := req.Decode(f.Body); err != nil {
		c.peer.t.Errorf("HEARTBEAT: %v", err)
	}
	c.Reply(f, libproto.HeartbeatResponse{ClientTimeNs: req.ClientTimeNs, ServerTimeNs: uint64(time.Now().UnixNano())})
}

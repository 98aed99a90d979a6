package client_test

import (
	"errors"
	"testing"
	"time"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

func TestServerInfo(t *testing.T) {
	p := peertest.Listen(t)
	got := dial(t, p).Server()
	wantEqual(t, "server", got, client.ServerInfo{
		Agent:             "peertest/1",
		Version:           1,
		Capabilities:      libproto.CapBatch,
		BodyLenMax:        65536,
		MessageLenMax:     4096,
		HeartbeatInterval: 15 * time.Second,
		IdleTimeout:       45 * time.Second,
		RealmSalt:         [libproto.SaltLen]byte{1, 2, 3},
		KDFIterations:     peertest.KDFIterations,
	})
}

func TestHelloSaysWhatTheClientIs(t *testing.T) {
	p := peertest.Listen(t)
	said := make(chan libproto.HelloRequest, 1)
	p.Handle(libproto.OpHello, func(c *peertest.Conn, f libproto.Frame) {
		said <- *decoded(t, f).(*libproto.HelloRequest)
		c.Refuse(f, libproto.StatusUnsupported, 0, "too old")
	})
	cfg := client.DefaultConfig()
	cfg.Address, cfg.Agent = p.Addr, "me/7"
	_, err := client.Dial(testContext(t), cfg)
	wantIs(t, err, client.ErrUnsupported)
	got := <-said
	if got.ClientNonce == [libproto.NonceLen]byte{} {
		t.Error("the nonce is not random")
	}
	got.ClientNonce = [libproto.NonceLen]byte{}
	wantEqual(t, "HELLO", got, libproto.HelloRequest{
		VersionMin:   1,
		VersionMax:   1,
		Capabilities: libproto.CapBatch | libproto.CapResume,
		Handshake:    []byte{},
		Agent:        []byte("me/7"),
	})
}

func TestHelloThatIsRefused(t *testing.T) {
	for name, change := range map[string]func(*libproto.HelloResponse){
		"version":         func(r *libproto.HelloResponse) { r.Version = 2 },
		"capabilities":    func(r *libproto.HelloResponse) { r.Capabilities |= libproto.CapEncryption },
		"handshake":       func(r *libproto.HelloResponse) { r.Handshake = []byte{1} },
		"small body":      func(r *libproto.HelloResponse) { r.BodyLenMax = 1023 },
		"huge body":       func(r *libproto.HelloResponse) { r.BodyLenMax = 1 << 31 },
		"agent not UTF-8": func(r *libproto.HelloResponse) { r.Agent = []byte{0xff} },
	} {
		t.Run(name, func(t *testing.T) {
			p := peertest.Listen(t)
			p.SetHello(change)
			cfg := client.DefaultConfig()
			cfg.Address = p.Addr
			_, err := client.Dial(testContext(t), cfg)
			wantIs(t, err, client.ErrProtocol)
		})
	}
}

func TestKeyDerivationThatIsRefused(t *testing.T) {
	for _, iterations := range []uint32{0, 1, libproto.KDFIterationsMin - 1, libproto.KDFIterationsMax + 1, 1<<32 - 1} {
		p := peertest.Listen(t)
		p.SetHello(func(r *libproto.HelloResponse) { r.KDFIterations = iterations })
		_, err := dial(t, p).Login(testContext(t), alice, password)
		wantIs(t, err, client.ErrProtocol, libproto.ErrIterations)
	}
}

func TestRegisterThenLogin(t *testing.T) {
	p := peertest.Listen(t)
	c := dial(t, p)
	ctx := testContext(t)
	id, err := c.Register(ctx, alice, password)
	if err != nil || id != 1 {
		t.Fatalf("Register: %d, %v", id, err)
	}
	_, err = c.Register(ctx, alice, password)
	wantIs(t, err, client.ErrAlreadyExists)
	s, err := c.Login(ctx, alice, password)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "session", s, client.Session{User: alice, UserID: 1, ID: 1, BalanceMinor: 100_00})
	wantEqual(t, "Session()", c.Session(), s)

	_, err = c.Login(ctx, alice, password)
	wantIs(t, err, client.ErrLoggedIn)
	_, err = c.Register(ctx, "bob", password)
	wantIs(t, err, client.ErrLoggedIn)
}

func TestBeforeLogin(t *testing.T) {
	p := peertest.Listen(t)
	c := dial(t, p)
	ctx := testContext(t)
	_, err := c.Balance(ctx)
	wantIs(t, err, client.ErrNotLoggedIn)
	if _, at, err := c.Heartbeat(ctx); err != nil || time.Since(at).Abs() > time.Hour {
		t.Errorf("Heartbeat before Login: %v, %v", at, err)
	}
	for _, bad := range []struct{ user, password string }{{"", "x"}, {"a b", "x"}, {alice, ""}} {
		_, err = c.Login(ctx, bad.user, bad.password)
		wantIs(t, err, client.ErrInvalidArgument)
		_, err = c.Register(ctx, bad.user, bad.password)
		wantIs(t, err, client.ErrInvalidArgument)
	}
}

func TestWrongPasswordCanBeTriedAgain(t *testing.T) {
	p := peertest.Listen(t)
	p.AddUser(alice, password)
	c := dial(t, p)
	for _, user := range []string{alice, "nobody"} {
		_, err := c.Login(testContext(t), user, "wrong")
		wantIs(t, err, client.ErrUnauthorized)
		var refusal *client.StatusError
		if !errors.As(err, &refusal) || refusal.Op != libproto.OpLogin || refusal.Detail != "wrong name or password" {
			t.Errorf("got %#v", refusal)
		}
	}
	if _, err := c.Login(testContext(t), alice, password); err != nil {
		t.Error(err)
	}
}

func TestWrongServerSignatureEndsTheClient(t *testing.T) {
	p := peertest.Listen(t)
	p.AddUser(alice, password)
	p.SetServerKey(alice, [libproto.KeyLen]byte{1})
	c := dial(t, p)
	_, err := c.Login(testContext(t), alice, password)
	wantIs(t, err, client.ErrServerSignature)
	wantIs(t, expectEnd(t, c), client.ErrServerSignature)
	_, err = c.Balance(testContext(t))
	wantIs(t, err, client.ErrServerSignature)
}

func TestLoginConnectionLost(t *testing.T) {
	p := peertest.Listen(t)
	p.AddUser(alice, password)
	p.Handle(libproto.OpLogin, func(c *peertest.Conn, _ libproto.Frame) { c.Close() })
	c := dial(t, p)
	_, err := c.Login(testContext(t), alice, password)
	wantIs(t, err, client.ErrConnectionLost)
	wantIs(t, expectEnd(t, c), client.ErrConnectionLost)
}

func TestRegisterConnectionLost(t *testing.T) {
	p := peertest.Listen(t)
	p.Handle(libproto.OpRegister, func(c *peertest.Conn, _ libproto.Frame) { c.Close() })
	_, err := dial(t, p).Register(testContext(t), alice, password)
	wantIs(t, err, client.ErrOutcomeUnknown, client.ErrConnectionLost)
}

func TestLogout(t *testing.T) {
	p := peertest.Listen(t)
	c, _ := logIn(t, p)
	if err := c.Logout(testContext(t)); err != nil {
		t.Fatal(err)
	}
	wantIs(t, expectEnd(t, c), client.ErrClosed)
	_, err := c.Balance(testContext(t))
	wantIs(t, err, client.ErrClosed)
	wantIs(t, c.Logout(testContext(t)), client.ErrClosed)
}

func TestNobodyListens(t *testing.T) {
	p := peertest.Listen(t)
	p.Close()
	cfg := client.DefaultConfig()
	cfg.Address = p.Addr
	if _, err := client.Dial(testContext(t), cfg); err == nil {
		t.Error("connected to nobody")
	}
}

func TestServerThatSaysNothing(t *testing.T) {
	p := peertest.Listen(t)
	p.Handle(libproto.OpHello, func(*peertest.Conn, libproto.Frame) {})
	cfg := client.DefaultConfig()
	cfg.Address, cfg.DialTimeout = p.Addr, 50*time.Millisecond
	if _, err := client.Dial(testContext(t), cfg); err == nil {
		t.Error("connected to a server that does not answer")
	}
}

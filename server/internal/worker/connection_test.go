package worker

import (
	"bytes"
	"testing"

	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
)

func TestLoginAndLogout(t *testing.T) {
	c := startCluster(t, nil)
	id := c.addUser("alice", 1000)
	p := dial(t, c.workers[0].addr)

	h := p.hello()
	if h.Version != 1 || h.Capabilities != libproto.CapBatch || h.BodyLenMax != c.config.BodyBytesMax ||
		h.MessageLenMax != c.config.MessageBytesMax || h.IdleTimeoutMs != 3_600_000 || h.HeartbeatIntervalMs != 60_000 ||
		h.KDFIterations != 4096 || h.RealmSalt != [16]byte{1, 2, 3} || len(h.Handshake) != 0 {
		t.Errorf("HELLO response: %+v", h)
	}
	var l libproto.LoginResponse
	p.ask(libproto.OpLogin, loginRequest("alice", h), &l)
	if l.UserID != id || l.SessionID == 0 || l.LastReqID != 0 || l.Balance != 1000 {
		t.Errorf("LOGIN response: %+v", l)
	}
	keys := testKeys("alice")
	want := libproto.ServerSignature(keys.Server, testNonce, h.ServerNonce, noBinding, []byte("alice"))
	if l.ServerSignature != want {
		t.Error("wrong server signature")
	}
	if !c.segment.Online(id) {
		t.Error("not online after LOGIN")
	}

	p.ask(libproto.OpLogout, libproto.Empty{}, &libproto.Empty{})
	if c.segment.Online(id) {
		t.Error("online after LOGOUT")
	}
	again := p.hello()
	if again.ServerNonce == h.ServerNonce {
		t.Error("the same nonce twice")
	}
	p.ask(libproto.OpLogin, loginRequest("alice", again), &l)
	_ = p.socket.Close()
	await(t, "offline after the connection's end", func() bool { return !c.segment.Online(id) })
}

func TestNonceServesThreeFailures(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	wrong := func(name string, h libproto.HelloResponse) libproto.LoginRequest {
		q := loginRequest(name, h)
		q.Proof[5] ^= 1
		return q
	}
	for _, name := range []string{"alice", "nobody", "not a name"} {
		p := dial(t, c.workers[0].addr)
		h := p.hello()
		var detail []byte
		for range libproto.LoginFaultsMax {
			e := p.refused(libproto.StatusUnauthorized, libproto.OpLogin, wrong(name, h))
			if detail != nil && !bytes.Equal(e.Detail, detail) {
				t.Errorf("%q is answered %q", name, e.Detail)
			}
			detail = e.Detail
		}
		p.closed()
	}

	p := dial(t, c.workers[0].addr)
	h := p.hello()
	p.refused(libproto.StatusUnauthorized, libproto.OpLogin, wrong("alice", h))
	p.refused(libproto.StatusUnauthorized, libproto.OpLogin, wrong("alice", h))
	p.ask(libproto.OpLogin, loginRequest("alice", h), &libproto.LoginResponse{})
}

func TestLoginThrottledByAddress(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	for {
		p := dial(t, c.workers[0].addr)
		h := p.hello()
		f := p.call(libproto.OpLogin, loginRequest("nobody", h))
		if f.Status == libproto.StatusUnauthorized {
			continue
		}
		if f.Status != libproto.StatusRateLimit || errorBody(t, f).RetryAfterMs == 0 {
			t.Fatalf("%v", f.Header)
		}
		// The right password does not help either, and the nonces are not used up by trying.
		for range libproto.LoginFaultsMax + 1 {
			p.refused(libproto.StatusRateLimit, libproto.OpLogin, loginRequest("alice", h))
		}
		return
	}
}

func TestResumeIsNotGranted(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	p := dial(t, c.workers[0].addr)
	q := loginRequest("alice", p.hello())
	q.ResumeSessionID = 77
	p.refused(libproto.StatusExpired, libproto.OpLogin, q)
	q.ResumeSessionID = 0
	p.ask(libproto.OpLogin, q, &libproto.LoginResponse{})
}

func TestHelloOfAnotherVersionIsClosed(t *testing.T) {
	c := startCluster(t, nil)
	for _, versions := range [][2]uint8{{2, 9}, {0, 0}} {
		p := dial(t, c.workers[0].addr)
		request := libproto.HelloRequest{VersionMin: versions[0], VersionMax: versions[1]}
		p.refused(libproto.StatusUnsupported, libproto.OpHello, request)
		p.closed()
	}
}

func TestHeartbeat(t *testing.T) {
	c := startCluster(t, nil)
	c.addUser("alice", 0)
	p := dial(t, c.workers[0].addr)
	h := p.hello()
	var r libproto.HeartbeatResponse
	for _, ready := range []bool{false, true} {
		if ready {
			p.ask(libproto.OpLogin, loginRequest("alice", h), &libproto.LoginResponse{})
		}
		p.ask(libproto.OpHeartbeat, libproto.HeartbeatRequest{ClientTimeNs: 42}, &r)
		if r.ClientTimeNs != 42 || r.ServerTimeNs < 1e18 {
			t.Errorf("logged in %v: %+v", ready, r)
		}
	}
}

func TestRegister(t *testing.T) {
	c := startCluster(t, nil)
	p := dial(t, c.workers[0].addr)
	h := p.hello()
	k := testKeys("bob")
	request := libproto.RegisterRequest{Username: []byte("bob"), StoredKey: k.Stored, ServerKey: k.Server}
	var r libproto.RegisterResponse
	p.ask(libproto.OpRegister, request, &r)
	if name := c.segment.UserName(r.UserID); string(name) != "bob" {
		t.Errorf("user %d is %q", r.UserID, name)
	}
	p.refused(libproto.StatusAlreadyExists, libproto.OpRegister, request)
	p.refused(libproto.StatusInvalidArgument, libproto.OpRegister, libproto.RegisterRequest{Username: []byte("no spaces")})
	p.ask(libproto.OpLogin, loginRequest("bob", h), &libproto.LoginResponse{})
}

func TestRegisterClosed(t *testing.T) {
	c := startCluster(t, func(s *config.Config) { s.Registration = config.RegistrationClosed })
	p := dial(t, c.workers[0].addr)
	p.hello()
	p.refused(libproto.StatusUnauthorized, libproto.OpRegister, libproto.RegisterRequest{Username: []byte("bob")})
}

func TestTablesFull(t *testing.T) {
	c := startCluster(t, func(s *config.Config) { s.UsersMax, s.SessionsMax, s.RoomsMax = 16, 16, 2 })
	p := dial(t, c.workers[0].addr)
	p.hello()
	for i := range 16 {
		p.ask(libproto.OpRegister, libproto.RegisterRequest{Username: []byte{'u', byte('a' + i)}}, &libproto.RegisterResponse{})
	}
	p.refused(libproto.StatusLimit, libproto.OpRegister, libproto.RegisterRequest{Username: []byte("one-more")})
}

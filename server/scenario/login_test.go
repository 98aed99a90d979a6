package scenario

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
)

// dial opens a connection, with a small receive buffer for one that is going to be deaf.
func (w *world) dial(name string, deaf bool) (*session, error) {
	d := net.Dialer{Timeout: patience}
	if deaf {
		d.Control = func(_, _ string, raw syscall.RawConn) (err error) {
			inner := raw.Control(func(fd uintptr) {
				err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, deafReceiveBytes)
			})
			return errors.Join(err, inner)
		}
	}
	conn, err := d.Dial("tcp", w.server.address)
	if err != nil {
		return nil, err
	}
	return &session{name: name, conn: conn, slot: -1}, nil
}

func (s *session) port() int { return s.conn.LocalAddr().(*net.TCPAddr).Port }

// greet says HELLO.
func (s *session) greet() error {
	rand.Read(s.nonce[:])
	return s.get(libproto.OpHello, libproto.HelloRequest{
		VersionMin: libproto.Version, VersionMax: libproto.Version,
		Capabilities: libproto.CapBatch | libproto.CapResume, ClientNonce: s.nonce, Agent: []byte("tradechat-scenario"),
	}, &s.hello)
}

// greeted is a connection that has said HELLO, on worker slot, or on any if that is -1.
func (w *world) greeted(name string, slot int, deaf bool) (*session, error) {
	for range placementTries {
		s, err := w.dial(name, deaf)
		if err != nil {
			return nil, err
		}
		if err := s.greet(); err != nil {
			s.hangUp()
			return nil, err
		}
		if slot < 0 {
			return s, nil
		}
		if s.slot, err = w.server.slotOf(s.port()); err != nil {
			return nil, err
		}
		if s.slot == slot {
			return s, nil
		}
		s.hangUp()
	}
	return nil, fmt.Errorf("none of %d connections came to worker %d", placementTries, slot)
}

// keys are those of a user under the server's realm.
func (s *session) keys(user string) (libproto.Keys, error) {
	return libproto.DeriveKeys(password, user, s.hello.RealmSalt, int(s.hello.KDFIterations))
}

// proof is what LOGIN needs.
func (s *session) proof(k libproto.Keys) [libproto.KeyLen]byte {
	return libproto.Proof(k, s.nonce, s.hello.ServerNonce, [libproto.KeyLen]byte{}, []byte(s.user()))
}

// logIn registers the user when this script sees it for the first time, and logs in.
func (w *world) logIn(s *session) error {
	name := s.user()
	u, known := w.users[name]
	if !known {
		keys, err := s.keys(name)
		if err != nil {
			return err
		}
		u.keys = keys
		err = s.get(libproto.OpRegister, libproto.RegisterRequest{
			Username: []byte(name), StoredKey: keys.Stored, ServerKey: keys.Server,
		}, &libproto.RegisterResponse{})
		if err != nil && !refusedWith(err, libproto.StatusAlreadyExists) && !refusedWith(err, libproto.StatusUnauthorized) {
			return err
		}
	}
	var r libproto.LoginResponse
	err := s.get(libproto.OpLogin, libproto.LoginRequest{Username: []byte(name), Proof: s.proof(u.keys)}, &r)
	if err != nil {
		return err
	}
	u.id, s.id = r.UserID, r.SessionID
	w.users[name], w.past[s.name] = u, s
	return nil
}

// cmdConnect opens connections that say nothing, or only HELLO.
func cmdConnect(ts *testscript.TestScript, w *world, args []string) {
	w.running(ts)
	in := &words{ts, args}
	silent := in.skip("silently")
	for len(in.rest) > 0 {
		name := w.newName(ts, in.next("name"))
		s, err := w.dial(name, false)
		if err == nil && !silent {
			err = s.greet()
		}
		ts.Check(err)
		w.sessions[name] = s
	}
}

func cmdLogin(ts *testscript.TestScript, w *world, args []string) {
	w.running(ts)
	in := &words{ts, args}
	slot, deaf := -1, false
	var names []string
	for len(in.rest) > 0 {
		switch {
		case in.skip("on"):
			slot = in.number("slot")
		case in.skip("deaf"):
			deaf = true
		default:
			names = append(names, w.newName(ts, in.next("name")))
		}
	}
	for _, name := range names {
		s, err := w.greeted(name, slot, deaf)
		if err == nil {
			err = w.logIn(s)
		}
		ts.Check(err)
		w.sessions[name] = s
	}
}

// newName checks that a name is free: that of a session that has ended is free again.
func (w *world) newName(ts *testscript.TestScript, name string) string {
	if w.sessions[name] != nil {
		ts.Fatalf("there is a session %s already", name)
	}
	return name
}

// cmdLeave hangs up without a word.
func cmdLeave(ts *testscript.TestScript, w *world, args []string) {
	for _, name := range args {
		w.session(ts, name).hangUp()
		delete(w.sessions, name)
	}
}

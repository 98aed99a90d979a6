package roster

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"tradechat.internal/libproto"
)

func testRealm() Realm {
	return Realm{Salt: [libproto.SaltLen]byte{1, 2, 3}, Iterations: libproto.KDFIterationsMin}
}

func TestNamesAreValid(t *testing.T) {
	prefix := strings.Repeat("p", PrefixLenMax)
	users := New(prefix, 3)
	for _, name := range [][]byte{users[2].Name, RoomName(prefix, 1<<20)} {
		if !libproto.ValidName(name) {
			t.Errorf("%q is no valid name", name)
		}
	}
	last := New("p", 1<<20)[1<<20-1].Name
	if len(last)-len("p") > libproto.NameLenMax-PrefixLenMax {
		t.Errorf("%q does not fit behind the longest prefix", last)
	}
}

func TestDeriveKeys(t *testing.T) {
	users := New("u", 5)
	var calls, most atomic.Int64
	err := DeriveKeys(context.Background(), users, "secret", testRealm(), func(done int) {
		calls.Add(1)
		most.Store(max(most.Load(), int64(done)))
	})
	if err != nil || calls.Load() != 5 || most.Load() > 5 {
		t.Fatalf("%v; progress was told %d times, up to %d", err, calls.Load(), most.Load())
	}
	want, err := libproto.DeriveKeys("secret", "u-u3", testRealm().Salt, testRealm().Iterations)
	if err != nil || users[3].Keys != want {
		t.Errorf("keys of %s differ from libproto's (%v)", users[3].Name, err)
	}
}

func TestDeriveKeysFails(t *testing.T) {
	realm := testRealm()
	realm.Iterations = 1
	if err := DeriveKeys(context.Background(), New("u", 2), "x", realm, func(int) {}); !errors.Is(err, libproto.ErrIterations) {
		t.Errorf("1 iteration: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := DeriveKeys(ctx, New("u", 2), "x", testRealm(), func(int) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A login is one that a server with libproto's rules accepts, and only the signature of one that knows the keys passes.
func TestHandshake(t *testing.T) {
	users := New("u", 1)
	user := &users[0]
	if err := DeriveKeys(context.Background(), users, "secret", testRealm(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	var h Handshake
	hello := h.Hello()
	answer := libproto.HelloResponse{Version: libproto.Version, ServerNonce: [libproto.NonceLen]byte{9}, KDFIterations: 5000, BodyLenMax: 7}
	realm, err := h.Greeted(&answer)
	if err != nil || realm.Iterations != 5000 || realm.BodyLenMax != 7 {
		t.Fatalf("Greeted = %+v, %v", realm, err)
	}
	login := h.Login(user)
	if !libproto.VerifyProof(user.Keys.Stored, login.Proof, hello.ClientNonce, answer.ServerNonce, plain, login.Username) {
		t.Error("the proof does not verify")
	}
	signature := libproto.ServerSignature(user.Keys.Server, hello.ClientNonce, answer.ServerNonce, plain, user.Name)
	if err := h.Check(user, &libproto.LoginResponse{ServerSignature: signature}); err != nil {
		t.Errorf("the right signature: %v", err)
	}
	signature[5] ^= 1
	if err := h.Check(user, &libproto.LoginResponse{ServerSignature: signature}); !errors.Is(err, ErrImpostor) {
		t.Errorf("a wrong signature: %v", err)
	}
	if h.Hello().ClientNonce == hello.ClientNonce {
		t.Error("a nonce is used twice")
	}
}

func TestGreetedRefuses(t *testing.T) {
	for _, answer := range []libproto.HelloResponse{
		{Version: 2},
		{Version: libproto.Version, Capabilities: libproto.CapCompression},
		{Version: libproto.Version, Handshake: []byte{1}},
	} {
		var h Handshake
		if _, err := h.Greeted(&answer); !errors.Is(err, ErrHello) {
			t.Errorf("Greeted(%+v) = %v", answer, err)
		}
	}
}

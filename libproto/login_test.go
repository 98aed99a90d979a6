package libproto

import (
	"errors"
	"testing"
)

func TestLoginVector(t *testing.T) {
	_, v := goldenFile(t)
	keys, err := DeriveKeys(v.Password, v.Username, [SaltLen]byte(v.RealmSalt), v.KDFIterations)
	if err != nil {
		t.Fatal(err)
	}
	if keys.Stored != v.StoredKey.array32() {
		t.Errorf("stored key %x, want %x", keys.Stored, v.StoredKey)
	}
	if keys.Server != v.ServerKey.array32() {
		t.Errorf("server key %x, want %x", keys.Server, v.ServerKey)
	}
	client, server, binding := v.ClientNonce.array32(), v.ServerNonce.array32(), v.ChannelBinding.array32()
	name := []byte(v.Username)
	if proof := Proof(keys, client, server, binding, name); proof != v.Proof.array32() {
		t.Errorf("proof %x, want %x", proof, v.Proof)
	}
	if signature := ServerSignature(keys.Server, client, server, binding, name); signature != v.ServerSignature.array32() {
		t.Errorf("server signature %x, want %x", signature, v.ServerSignature)
	}
	if !VerifyProof(keys.Stored, v.Proof.array32(), client, server, binding, name) {
		t.Error("the right proof is refused")
	}
}

// A proof holds for its stored key, nonces, binding and name only: a change of one bit of any of them shows.
func TestProofIsBoundToAllInputs(t *testing.T) {
	_, v := goldenFile(t)
	right := [...][KeyLen]byte{
		v.StoredKey.array32(), v.Proof.array32(), v.ClientNonce.array32(), v.ServerNonce.array32(), v.ChannelBinding.array32(),
	}
	verify := func(in [5][KeyLen]byte, name string) bool {
		return VerifyProof(in[0], in[1], in[2], in[3], in[4], []byte(name))
	}
	if !verify(right, v.Username) {
		t.Fatal("the right proof is refused")
	}
	for i := range right {
		for _, at := range []int{0, KeyLen - 1} {
			wrong := right
			wrong[i][at] ^= 1
			if verify(wrong, v.Username) {
				t.Errorf("input %d changed in byte %d: still accepted", i, at)
			}
		}
	}
	if verify(right, "Alice") || verify(right, "alice ") || verify(right, "") {
		t.Error("accepted for another name")
	}
}

func TestKeysDependOnAllInputs(t *testing.T) {
	derive := func(password, name string, salt [SaltLen]byte, iterations int) Keys {
		keys, err := DeriveKeys(password, name, salt, iterations)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	seen := map[Keys]string{}
	for what, keys := range map[string]Keys{
		"base":       derive("secret", "alice", [SaltLen]byte{}, KDFIterationsMin),
		"password":   derive("Secret", "alice", [SaltLen]byte{}, KDFIterationsMin),
		"name":       derive("secret", "bob", [SaltLen]byte{}, KDFIterationsMin),
		"salt":       derive("secret", "alice", [SaltLen]byte{15: 1}, KDFIterationsMin),
		"iterations": derive("secret", "alice", [SaltLen]byte{}, KDFIterationsMin+1),
	} {
		if other, ok := seen[keys]; ok {
			t.Errorf("%s and %s have the same keys", what, other)
		}
		seen[keys] = what
	}
}

func TestDeriveKeysRefusesIterations(t *testing.T) {
	for _, iterations := range []int{-1, 0, 1, KDFIterationsMin - 1, KDFIterationsMax + 1} {
		if _, err := DeriveKeys("secret", "alice", [SaltLen]byte{}, iterations); !errors.Is(err, ErrIterations) {
			t.Errorf("%d iterations: %v", iterations, err)
		}
	}
}

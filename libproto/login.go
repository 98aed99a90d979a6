package libproto

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
)

// Keys are what a password becomes: the client keeps all three, the server stores Stored and Server and can make
// neither the password nor Client from them. The schedule is that of SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677).
type Keys struct {
	Client, Stored, Server [KeyLen]byte
}

// DeriveKeys makes the keys of a user, salted by the realm and the user's name. It takes a time in proportion to
// iterations, which must be KDFIterationsMin … KDFIterationsMax: else ErrIterations. The password is used as it is,
// without normalisation.
func DeriveKeys(password, username string, realmSalt [SaltLen]byte, iterations int) (Keys, error) {
	if iterations < KDFIterationsMin || iterations > KDFIterationsMax {
		return Keys{}, fmt.Errorf("%w: %d, not %d … %d", ErrIterations, iterations, KDFIterationsMin, KDFIterationsMax)
	}
	salt := sha256.Sum256(append(realmSalt[:], username...))
	salted, err := pbkdf2.Key(sha256.New, password, salt[:SaltLen], iterations, KeyLen)
	if err != nil {
		return Keys{}, fmt.Errorf("libproto: key derivation: %w", err)
	}
	client := mac(salted, []byte("Client Key"))
	return Keys{
		Client: client,
		Stored: sha256.Sum256(client[:]),
		Server: mac(salted, []byte("Server Key")),
	}, nil
}

// Proof shows knowledge of keys.Client for one pair of nonces. channelBinding is 32 zero bytes on a plain connection.
func Proof(keys Keys, clientNonce, serverNonce, channelBinding [KeyLen]byte, username []byte) [KeyLen]byte {
	signature := mac(keys.Stored[:], authMessage(clientNonce, serverNonce, channelBinding, username))
	return xor(keys.Client, signature)
}

// VerifyProof reports whether proof was made with the client key that stored is the hash of, for the same nonces,
// binding and name. It takes the same time wherever a wrong proof differs.
func VerifyProof(stored, proof, clientNonce, serverNonce, channelBinding [KeyLen]byte, username []byte) bool {
	signature := mac(stored[:], authMessage(clientNonce, serverNonce, channelBinding, username))
	client := xor(proof, signature)
	made := sha256.Sum256(client[:])
	return subtle.ConstantTimeCompare(made[:], stored[:]) == 1
}

// ServerSignature is what a server that stores serverKey answers a right proof with; the client compares it with its
// own (hmac.Equal).
func ServerSignature(serverKey, clientNonce, serverNonce, channelBinding [KeyLen]byte, username []byte) [KeyLen]byte {
	return mac(serverKey[:], authMessage(clientNonce, serverNonce, channelBinding, username))
}

func authMessage(clientNonce, serverNonce, channelBinding [KeyLen]byte, username []byte) []byte {
	message := make([]byte, 0, 128+NameLenMax)
	message = append(message, "ns-login-v1"...)
	message = append(message, clientNonce[:]...)
	message = append(message, serverNonce[:]...)
	message = append(message, channelBinding[:]...)
	return append(message, username...)
}

func mac(key, message []byte) (sum [KeyLen]byte) {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	h.Sum(sum[:0])
	return sum
}

func xor(a, b [KeyLen]byte) (x [KeyLen]byte) {
	subtle.XORBytes(x[:], a[:], b[:])
	return x
}

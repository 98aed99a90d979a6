//go:build cgo

package capi

// #include "private.h"
import "C"

import (
	"crypto/hmac"

	"tradechat.internal/libproto"
)

func keysIn(k *C.tc_proto_keys) libproto.Keys {
	return libproto.Keys{Client: key(&k.client), Stored: key(&k.stored), Server: key(&k.server)}
}

func keysOut(k libproto.Keys) C.tc_proto_keys {
	return C.tc_proto_keys{client: keyOut(k.Client), stored: keyOut(k.Stored), server: keyOut(k.Server)}
}

// login is what a proof is about.
type login struct {
	clientNonce, serverNonce, binding [libproto.KeyLen]byte
	username                          []byte
}

func loginIn(l *C.tc_proto_login) (login, C.int) {
	var f fault
	in := login{key(&l.client_nonce), key(&l.server_nonce), key(&l.channel_binding), f.text(l.username)}
	return in, C.int(f)
}

func (l login) makeProof(k libproto.Keys, proof *[libproto.KeyLen]byte) C.int {
	*proof = libproto.Proof(k, l.clientNonce, l.serverNonce, l.binding, l.username)
	return C.TC_PROTO_OK
}

func (l login) checkProof(k libproto.Keys, proof *[libproto.KeyLen]byte) C.int {
	if !libproto.VerifyProof(k.Stored, *proof, l.clientNonce, l.serverNonce, l.binding, l.username) {
		return C.TC_PROTO_E_SIGNATURE
	}
	return C.TC_PROTO_OK
}

func (l login) signServer(k libproto.Keys, signature *[libproto.KeyLen]byte) C.int {
	*signature = libproto.ServerSignature(k.Server, l.clientNonce, l.serverNonce, l.binding, l.username)
	return C.TC_PROTO_OK
}

func (l login) checkServerSignature(k libproto.Keys, signature *[libproto.KeyLen]byte) C.int {
	var right [libproto.KeyLen]byte
	l.signServer(k, &right)
	if !hmac.Equal(right[:], signature[:]) {
		return C.TC_PROTO_E_SIGNATURE
	}
	return C.TC_PROTO_OK
}

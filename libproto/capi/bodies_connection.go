//go:build cgo

package capi

// #include "private.h"
import "C"

import "tradechat.internal/libproto"

func encodeErrorBody(f *fault, dst []byte, b *C.tc_proto_error_body) []byte {
	return libproto.ErrorBody{RetryAfterMs: uint32(b.retry_after_ms), Detail: f.text(b.detail)}.AppendTo(dst)
}

func decodeErrorBody(body []byte, to *C.tc_proto_error_body) C.int {
	var b libproto.ErrorBody
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_error_body{retry_after_ms: C.uint32_t(b.RetryAfterMs), detail: bytesOut(b.Detail)})
	return C.TC_PROTO_OK
}

func encodeHelloRequest(f *fault, dst []byte, b *C.tc_proto_hello_request) []byte {
	return libproto.HelloRequest{
		VersionMin:   uint8(b.version_min),
		VersionMax:   uint8(b.version_max),
		Capabilities: libproto.Capabilities(b.capabilities),
		ClientNonce:  key(&b.client_nonce),
		Handshake:    f.bytes(b.handshake),
		Agent:        f.text(b.agent),
	}.AppendTo(dst)
}

func decodeHelloRequest(body []byte, to *C.tc_proto_hello_request) C.int {
	var b libproto.HelloRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_hello_request{
		version_min:  C.uint8_t(b.VersionMin),
		version_max:  C.uint8_t(b.VersionMax),
		capabilities: C.uint32_t(b.Capabilities),
		client_nonce: keyOut(b.ClientNonce),
		handshake:    bytesOut(b.Handshake),
		agent:        bytesOut(b.Agent),
	})
	return C.TC_PROTO_OK
}

func encodeHelloResponse(f *fault, dst []byte, b *C.tc_proto_hello_response) []byte {
	return libproto.HelloResponse{
		Version:             uint8(b.version),
		Capabilities:        libproto.Capabilities(b.capabilities),
		BodyLenMax:          uint32(b.body_len_max),
		MessageLenMax:       uint32(b.message_len_max),
		HeartbeatIntervalMs: uint32(b.heartbeat_interval_ms),
		IdleTimeoutMs:       uint32(b.idle_timeout_ms),
		ServerNonce:         key(&b.server_nonce),
		RealmSalt:           salt(&b.realm_salt),
		KDFIterations:       uint32(b.kdf_iterations),
		Handshake:           f.bytes(b.handshake),
		Agent:               f.text(b.agent),
	}.AppendTo(dst)
}

func decodeHelloResponse(body []byte, to *C.tc_proto_hello_response) C.int {
	var b libproto.HelloResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_hello_response{
		version:               C.uint8_t(b.Version),
		capabilities:          C.uint32_t(b.Capabilities),
		body_len_max:          C.uint32_t(b.BodyLenMax),
		message_len_max:       C.uint32_t(b.MessageLenMax),
		heartbeat_interval_ms: C.uint32_t(b.HeartbeatIntervalMs),
		idle_timeout_ms:       C.uint32_t(b.IdleTimeoutMs),
		server_nonce:          keyOut(b.ServerNonce),
		realm_salt:            saltOut(b.RealmSalt),
		kdf_iterations:        C.uint32_t(b.KDFIterations),
		handshake:             bytesOut(b.Handshake),
		agent:                 bytesOut(b.Agent),
	})
	return C.TC_PROTO_OK
}

func encodeLoginRequest(f *fault, dst []byte, b *C.tc_proto_login_request) []byte {
	return libproto.LoginRequest{
		Username:        f.text(b.username),
		Proof:           key(&b.proof),
		ResumeSessionID: uint64(b.resume_session_id),
	}.AppendTo(dst)
}

func decodeLoginRequest(body []byte, to *C.tc_proto_login_request) C.int {
	var b libproto.LoginRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_login_request{
		username:          bytesOut(b.Username),
		proof:             keyOut(b.Proof),
		resume_session_id: C.uint64_t(b.ResumeSessionID),
	})
	return C.TC_PROTO_OK
}

func encodeLoginResponse(_ *fault, dst []byte, b *C.tc_proto_login_response) []byte {
	return libproto.LoginResponse{
		UserID:          uint32(b.user_id),
		SessionID:       uint64(b.session_id),
		LastReqID:       uint64(b.last_req_id),
		Balance:         int64(b.balance),
		ServerSignature: key(&b.server_signature),
	}.AppendTo(dst)
}

func decodeLoginResponse(body []byte, to *C.tc_proto_login_response) C.int {
	var b libproto.LoginResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_login_response{
		user_id:          C.uint32_t(b.UserID),
		session_id:       C.uint64_t(b.SessionID),
		last_req_id:      C.uint64_t(b.LastReqID),
		balance:          C.int64_t(b.Balance),
		server_signature: keyOut(b.ServerSignature),
	})
	return C.TC_PROTO_OK
}

func encodeHeartbeatRequest(_ *fault, dst []byte, b *C.tc_proto_heartbeat_request) []byte {
	return libproto.HeartbeatRequest{ClientTimeNs: uint64(b.client_time_ns)}.AppendTo(dst)
}

func decodeHeartbeatRequest(body []byte, to *C.tc_proto_heartbeat_request) C.int {
	var b libproto.HeartbeatRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_heartbeat_request{client_time_ns: C.uint64_t(b.ClientTimeNs)})
	return C.TC_PROTO_OK
}

func encodeHeartbeatResponse(_ *fault, dst []byte, b *C.tc_proto_heartbeat_response) []byte {
	return libproto.HeartbeatResponse{ClientTimeNs: uint64(b.client_time_ns), ServerTimeNs: uint64(b.server_time_ns)}.AppendTo(dst)
}

func decodeHeartbeatResponse(body []byte, to *C.tc_proto_heartbeat_response) C.int {
	var b libproto.HeartbeatResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_heartbeat_response{
		client_time_ns: C.uint64_t(b.ClientTimeNs),
		server_time_ns: C.uint64_t(b.ServerTimeNs),
	})
	return C.TC_PROTO_OK
}

func encodeRegisterRequest(f *fault, dst []byte, b *C.tc_proto_register_request) []byte {
	return libproto.RegisterRequest{
		Username:  f.text(b.username),
		StoredKey: key(&b.stored_key),
		ServerKey: key(&b.server_key),
	}.AppendTo(dst)
}

func decodeRegisterRequest(body []byte, to *C.tc_proto_register_request) C.int {
	var b libproto.RegisterRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_register_request{
		username:   bytesOut(b.Username),
		stored_key: keyOut(b.StoredKey),
		server_key: keyOut(b.ServerKey),
	})
	return C.TC_PROTO_OK
}

func encodeRegisterResponse(_ *fault, dst []byte, b *C.tc_proto_register_response) []byte {
	return libproto.RegisterResponse{UserID: uint32(b.user_id)}.AppendTo(dst)
}

func decodeRegisterResponse(body []byte, to *C.tc_proto_register_response) C.int {
	var b libproto.RegisterResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_register_response{user_id: C.uint32_t(b.UserID)})
	return C.TC_PROTO_OK
}

func encodeGoingAway(f *fault, dst []byte, b *C.tc_proto_going_away) []byte {
	return libproto.GoingAway{
		Reason:           libproto.GoingAwayReason(b.reason),
		ReconnectAfterMs: uint32(b.reconnect_after_ms),
		Detail:           f.text(b.detail),
	}.AppendTo(dst)
}

func decodeGoingAway(body []byte, to *C.tc_proto_going_away) C.int {
	var b libproto.GoingAway
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_going_away{
		reason:             C.uint16_t(b.Reason),
		reconnect_after_ms: C.uint32_t(b.ReconnectAfterMs),
		detail:             bytesOut(b.Detail),
	})
	return C.TC_PROTO_OK
}

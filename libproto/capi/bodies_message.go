//go:build cgo

package capi

// #include "private.h"
import "C"

import "tradechat.internal/libproto"

func encodeChatSendRequest(f *fault, dst []byte, b *C.tc_proto_chat_send_request) []byte {
	return libproto.ChatSendRequest{RoomID: uint32(b.room_id), Message: f.text(b.message)}.AppendTo(dst)
}

func decodeChatSendRequest(body []byte, to *C.tc_proto_chat_send_request) C.int {
	var b libproto.ChatSendRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_chat_send_request{room_id: C.uint32_t(b.RoomID), message: bytesOut(b.Message)})
	return C.TC_PROTO_OK
}

func encodeChatSendResponse(_ *fault, dst []byte, b *C.tc_proto_chat_send_response) []byte {
	return libproto.ChatSendResponse{RoomSeq: uint64(b.room_seq), TimeNs: uint64(b.time_ns)}.AppendTo(dst)
}

func decodeChatSendResponse(body []byte, to *C.tc_proto_chat_send_response) C.int {
	var b libproto.ChatSendResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_chat_send_response{room_seq: C.uint64_t(b.RoomSeq), time_ns: C.uint64_t(b.TimeNs)})
	return C.TC_PROTO_OK
}

func encodeChatBroadcast(f *fault, dst []byte, b *C.tc_proto_chat_broadcast) []byte {
	return libproto.ChatBroadcast{
		RoomID:     uint32(b.room_id),
		RoomSeq:    uint64(b.room_seq),
		TimeNs:     uint64(b.time_ns),
		Flags:      libproto.ChatFlags(b.flags),
		FromUserID: uint32(b.from_user_id),
		FromName:   f.text(b.from_name),
		Message:    f.text(b.message),
	}.AppendTo(dst)
}

func decodeChatBroadcast(body []byte, to *C.tc_proto_chat_broadcast) C.int {
	var b libproto.ChatBroadcast
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_chat_broadcast{
		room_id:      C.uint32_t(b.RoomID),
		room_seq:     C.uint64_t(b.RoomSeq),
		time_ns:      C.uint64_t(b.TimeNs),
		flags:        C.uint8_t(b.Flags),
		from_user_id: C.uint32_t(b.FromUserID),
		from_name:    bytesOut(b.FromName),
		message:      bytesOut(b.Message),
	})
	return C.TC_PROTO_OK
}

func encodeDirectSendRequest(f *fault, dst []byte, b *C.tc_proto_direct_send_request) []byte {
	return libproto.DirectSendRequest{ToUsername: f.text(b.to_username), Message: f.text(b.message)}.AppendTo(dst)
}

func decodeDirectSendRequest(body []byte, to *C.tc_proto_direct_send_request) C.int {
	var b libproto.DirectSendRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_direct_send_request{to_username: bytesOut(b.ToUsername), message: bytesOut(b.Message)})
	return C.TC_PROTO_OK
}

func encodeDirectSendResponse(_ *fault, dst []byte, b *C.tc_proto_direct_send_response) []byte {
	return libproto.DirectSendResponse{
		SessionsReached: uint32(b.sessions_reached), SessionsMissed: uint32(b.sessions_missed), TimeNs: uint64(b.time_ns),
	}.AppendTo(dst)
}

func decodeDirectSendResponse(body []byte, to *C.tc_proto_direct_send_response) C.int {
	var b libproto.DirectSendResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_direct_send_response{
		sessions_reached: C.uint32_t(b.SessionsReached), sessions_missed: C.uint32_t(b.SessionsMissed), time_ns: C.uint64_t(b.TimeNs),
	})
	return C.TC_PROTO_OK
}

func encodeDirectMessage(f *fault, dst []byte, b *C.tc_proto_direct_message) []byte {
	return libproto.DirectMessage{
		FromUserID: uint32(b.from_user_id),
		FromName:   f.text(b.from_name),
		TimeNs:     uint64(b.time_ns),
		Message:    f.text(b.message),
	}.AppendTo(dst)
}

func decodeDirectMessage(body []byte, to *C.tc_proto_direct_message) C.int {
	var b libproto.DirectMessage
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_direct_message{
		from_user_id: C.uint32_t(b.FromUserID),
		from_name:    bytesOut(b.FromName),
		time_ns:      C.uint64_t(b.TimeNs),
		message:      bytesOut(b.Message),
	})
	return C.TC_PROTO_OK
}

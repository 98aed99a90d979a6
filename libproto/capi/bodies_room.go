//go:build cgo

package capi

// #include "private.h"
import "C"

import "tradechat.internal/libproto"

func encodeJoinRoomRequest(_ *fault, dst []byte, b *C.tc_proto_join_room_request) []byte {
	return libproto.JoinRoomRequest{RoomID: uint32(b.room_id), ReplayCount: uint16(b.replay_count)}.AppendTo(dst)
}

func decodeJoinRoomRequest(body []byte, to *C.tc_proto_join_room_request) C.int {
	var b libproto.JoinRoomRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_join_room_request{room_id: C.uint32_t(b.RoomID), replay_count: C.uint16_t(b.ReplayCount)})
	return C.TC_PROTO_OK
}

func encodeJoinRoomResponse(_ *fault, dst []byte, b *C.tc_proto_join_room_response) []byte {
	return libproto.JoinRoomResponse{LastSeq: uint64(b.last_seq), MemberCount: uint32(b.member_count)}.AppendTo(dst)
}

func decodeJoinRoomResponse(body []byte, to *C.tc_proto_join_room_response) C.int {
	var b libproto.JoinRoomResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_join_room_response{last_seq: C.uint64_t(b.LastSeq), member_count: C.uint32_t(b.MemberCount)})
	return C.TC_PROTO_OK
}

func encodeLeaveRoomRequest(_ *fault, dst []byte, b *C.tc_proto_leave_room_request) []byte {
	return libproto.LeaveRoomRequest{RoomID: uint32(b.room_id)}.AppendTo(dst)
}

func decodeLeaveRoomRequest(body []byte, to *C.tc_proto_leave_room_request) C.int {
	var b libproto.LeaveRoomRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_leave_room_request{room_id: C.uint32_t(b.RoomID)})
	return C.TC_PROTO_OK
}

func encodeRoomOpenRequest(f *fault, dst []byte, b *C.tc_proto_room_open_request) []byte {
	return libproto.RoomOpenRequest{Name: f.text(b.name)}.AppendTo(dst)
}

func decodeRoomOpenRequest(body []byte, to *C.tc_proto_room_open_request) C.int {
	var b libproto.RoomOpenRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_room_open_request{name: bytesOut(b.Name)})
	return C.TC_PROTO_OK
}

func encodeRoomOpenResponse(f *fault, dst []byte, b *C.tc_proto_room_open_response) []byte {
	return libproto.RoomOpenResponse{RoomID: uint32(b.room_id), Created: f.yes(b.created)}.AppendTo(dst)
}

func decodeRoomOpenResponse(body []byte, to *C.tc_proto_room_open_response) C.int {
	var b libproto.RoomOpenResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_room_open_response{room_id: C.uint32_t(b.RoomID), created: yesOut(b.Created)})
	return C.TC_PROTO_OK
}

func encodeRoomListRequest(_ *fault, dst []byte, b *C.tc_proto_room_list_request) []byte {
	return libproto.RoomListRequest{AfterRoomID: uint32(b.after_room_id), RowsMax: uint16(b.rows_max)}.AppendTo(dst)
}

func decodeRoomListRequest(body []byte, to *C.tc_proto_room_list_request) C.int {
	var b libproto.RoomListRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_room_list_request{after_room_id: C.uint32_t(b.AfterRoomID), rows_max: C.uint16_t(b.RowsMax)})
	return C.TC_PROTO_OK
}

func roomInfoIn(f *fault, r *C.tc_proto_room_info) libproto.RoomInfo {
	return libproto.RoomInfo{
		RoomID:      uint32(r.room_id),
		Name:        f.text(r.name),
		MemberCount: uint32(r.member_count),
		LastSeq:     uint64(r.last_seq),
	}
}

func roomInfoOut(r *libproto.RoomInfo) C.tc_proto_room_info {
	return C.tc_proto_room_info{
		room_id:      C.uint32_t(r.RoomID),
		name:         bytesOut(r.Name),
		member_count: C.uint32_t(r.MemberCount),
		last_seq:     C.uint64_t(r.LastSeq),
	}
}

func encodeRoomListResponse(f *fault, dst []byte, b *C.tc_proto_room_list_response) []byte {
	rooms := rowsIn(f, b.rows, b.count, 0, libproto.ListRowsMax, roomInfoIn)
	return libproto.RoomListResponse{Rooms: rooms}.AppendTo(dst)
}

func decodeRoomListResponse(body []byte, to *C.tc_proto_room_list_response) C.int {
	var b libproto.RoomListResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	return rowsOut(to.rows, to.rows_cap, &to.count, b.Rooms, roomInfoOut)
}

func encodeRoomHistoryRequest(_ *fault, dst []byte, b *C.tc_proto_room_history_request) []byte {
	return libproto.RoomHistoryRequest{
		RoomID:    uint32(b.room_id),
		BeforeSeq: uint64(b.before_seq),
		RowsMax:   uint16(b.rows_max),
	}.AppendTo(dst)
}

func decodeRoomHistoryRequest(body []byte, to *C.tc_proto_room_history_request) C.int {
	var b libproto.RoomHistoryRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_room_history_request{
		room_id:    C.uint32_t(b.RoomID),
		before_seq: C.uint64_t(b.BeforeSeq),
		rows_max:   C.uint16_t(b.RowsMax),
	})
	return C.TC_PROTO_OK
}

func roomMessageIn(f *fault, m *C.tc_proto_room_message) libproto.RoomMessage {
	return libproto.RoomMessage{
		RoomSeq:    uint64(m.room_seq),
		TimeNs:     uint64(m.time_ns),
		FromUserID: uint32(m.from_user_id),
		FromName:   f.text(m.from_name),
		Message:    f.text(m.message),
	}
}

func roomMessageOut(m *libproto.RoomMessage) C.tc_proto_room_message {
	return C.tc_proto_room_message{
		room_seq:     C.uint64_t(m.RoomSeq),
		time_ns:      C.uint64_t(m.TimeNs),
		from_user_id: C.uint32_t(m.FromUserID),
		from_name:    bytesOut(m.FromName),
		message:      bytesOut(m.Message),
	}
}

func encodeRoomHistoryResponse(f *fault, dst []byte, b *C.tc_proto_room_history_response) []byte {
	messages := rowsIn(f, b.rows, b.count, 0, libproto.ListRowsMax, roomMessageIn)
	return libproto.RoomHistoryResponse{Messages: messages}.AppendTo(dst)
}

func decodeRoomHistoryResponse(body []byte, to *C.tc_proto_room_history_response) C.int {
	var b libproto.RoomHistoryResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	return rowsOut(to.rows, to.rows_cap, &to.count, b.Messages, roomMessageOut)
}

func encodeRoomEvent(f *fault, dst []byte, b *C.tc_proto_room_event) []byte {
	return libproto.RoomEvent{
		RoomID:   uint32(b.room_id),
		Kind:     libproto.RoomEventKind(b.kind),
		UserID:   uint32(b.user_id),
		Name:     f.text(b.name),
		FirstSeq: uint64(b.first_seq),
		LastSeq:  uint64(b.last_seq),
	}.AppendTo(dst)
}

func decodeRoomEvent(body []byte, to *C.tc_proto_room_event) C.int {
	var b libproto.RoomEvent
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_room_event{
		room_id:   C.uint32_t(b.RoomID),
		kind:      C.uint8_t(b.Kind),
		user_id:   C.uint32_t(b.UserID),
		name:      bytesOut(b.Name),
		first_seq: C.uint64_t(b.FirstSeq),
		last_seq:  C.uint64_t(b.LastSeq),
	})
	return C.TC_PROTO_OK
}

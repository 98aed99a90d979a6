//go:build cgo

package capi

// #include "private.h"
import "C"

import "tradechat.internal/libproto"

func encodeWhoRequest(_ *fault, dst []byte, b *C.tc_proto_who_request) []byte {
	return libproto.WhoRequest{
		RoomID:      uint32(b.room_id),
		AfterUserID: uint32(b.after_user_id),
		RowsMax:     uint16(b.rows_max),
	}.AppendTo(dst)
}

func decodeWhoRequest(body []byte, to *C.tc_proto_who_request) C.int {
	var b libproto.WhoRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_who_request{
		room_id:       C.uint32_t(b.RoomID),
		after_user_id: C.uint32_t(b.AfterUserID),
		rows_max:      C.uint16_t(b.RowsMax),
	})
	return C.TC_PROTO_OK
}

func userInfoIn(f *fault, u *C.tc_proto_user_info) libproto.UserInfo {
	return libproto.UserInfo{UserID: uint32(u.user_id), Username: f.text(u.username)}
}

func userInfoOut(u *libproto.UserInfo) C.tc_proto_user_info {
	return C.tc_proto_user_info{user_id: C.uint32_t(u.UserID), username: bytesOut(u.Username)}
}

func encodeWhoResponse(f *fault, dst []byte, b *C.tc_proto_who_response) []byte {
	return libproto.WhoResponse{Users: rowsIn(f, b.rows, b.count, 0, libproto.ListRowsMax, userInfoIn)}.AppendTo(dst)
}

func decodeWhoResponse(body []byte, to *C.tc_proto_who_response) C.int {
	var b libproto.WhoResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	return rowsOut(to.rows, to.rows_cap, &to.count, b.Users, userInfoOut)
}

func encodeUserLookupRequest(f *fault, dst []byte, b *C.tc_proto_user_lookup_request) []byte {
	return libproto.UserLookupRequest{Username: f.text(b.username)}.AppendTo(dst)
}

func decodeUserLookupRequest(body []byte, to *C.tc_proto_user_lookup_request) C.int {
	var b libproto.UserLookupRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_user_lookup_request{username: bytesOut(b.Username)})
	return C.TC_PROTO_OK
}

func encodeUserLookupResponse(f *fault, dst []byte, b *C.tc_proto_user_lookup_response) []byte {
	return libproto.UserLookupResponse{UserID: uint32(b.user_id), Online: f.yes(b.online)}.AppendTo(dst)
}

func decodeUserLookupResponse(body []byte, to *C.tc_proto_user_lookup_response) C.int {
	var b libproto.UserLookupResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_user_lookup_response{user_id: C.uint32_t(b.UserID), online: yesOut(b.Online)})
	return C.TC_PROTO_OK
}

func encodeUserAddRequest(f *fault, dst []byte, b *C.tc_proto_user_add_request) []byte {
	return libproto.UserAddRequest{
		Username:       f.text(b.username),
		StoredKey:      key(&b.stored_key),
		ServerKey:      key(&b.server_key),
		OpeningDeposit: uint64(b.opening_deposit),
	}.AppendTo(dst)
}

func decodeUserAddRequest(body []byte, to *C.tc_proto_user_add_request) C.int {
	var b libproto.UserAddRequest
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_user_add_request{
		username:        bytesOut(b.Username),
		stored_key:      keyOut(b.StoredKey),
		server_key:      keyOut(b.ServerKey),
		opening_deposit: C.uint64_t(b.OpeningDeposit),
	})
	return C.TC_PROTO_OK
}

func encodeServerStatsResponse(f *fault, dst []byte, b *C.tc_proto_server_stats_response) []byte {
	return libproto.ServerStatsResponse{JSON: f.bytes(b.json)}.AppendTo(dst)
}

func decodeServerStatsResponse(body []byte, to *C.tc_proto_server_stats_response) C.int {
	var b libproto.ServerStatsResponse
	if err := b.Decode(body); err != nil {
		return resultOf(err)
	}
	put(to, C.tc_proto_server_stats_response{json: bytesOut(b.JSON)})
	return C.TC_PROTO_OK
}

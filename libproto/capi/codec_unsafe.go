//go:build cgo

package capi

// #include "private.h"
import "C"

import (
	"slices"
	"unsafe"

	"tradechat.internal/libproto"
)

type ops []libproto.Opcode

// codec is one kind of body: under which opcodes it travels in which direction, and how it is converted.
type codec struct {
	asked    ops  // in requests and pushes
	answered ops  // in responses with status OK
	failed   bool // in responses with any other status
	encode   encoder
	decode   decoder
}

// An encoder appends the caller's body to dst. A decoder takes a body apart into the caller's struct.
type (
	encoder func(f *fault, dst []byte, body unsafe.Pointer) []byte
	decoder func(body []byte, into unsafe.Pointer) C.int
)

// typed hides the type of the caller's struct.
func typed[T any](encode func(*fault, []byte, *T) []byte, decode func([]byte, *T) C.int) codec {
	return codec{
		encode: func(f *fault, dst []byte, body unsafe.Pointer) []byte { return encode(f, dst, (*T)(body)) },
		decode: func(body []byte, into unsafe.Pointer) C.int { return decode(body, (*T)(into)) },
	}
}

// asked is a body of requests or pushes with these opcodes.
func asked[T any](encode func(*fault, []byte, *T) []byte, decode func([]byte, *T) C.int, under ...libproto.Opcode) codec {
	c := typed(encode, decode)
	c.asked = under
	return c
}

// answered is a body of responses with these opcodes.
func answered[T any](encode func(*fault, []byte, *T) []byte, decode func([]byte, *T) C.int, under ...libproto.Opcode) codec {
	c := typed(encode, decode)
	c.answered = under
	return c
}

// failed is the body of all responses that are errors.
func failed[T any](encode func(*fault, []byte, *T) []byte, decode func([]byte, *T) C.int) codec {
	c := typed(encode, decode)
	c.failed = true
	return c
}

// moneyOps have the same response.
var moneyOps = ops{libproto.OpDeposit, libproto.OpWithdraw, libproto.OpTransfer}

// codecs is the one table of bodies.
var codecs = [C.KINDS]codec{
	C.KIND_empty: {
		asked:    ops{libproto.OpLogout, libproto.OpBalance, libproto.OpServerStats},
		answered: ops{libproto.OpLogout, libproto.OpLeaveRoom, libproto.OpUserSetKeys},
		encode:   func(_ *fault, dst []byte, _ unsafe.Pointer) []byte { return dst },
		decode:   func(body []byte, _ unsafe.Pointer) C.int { return resultOf(new(libproto.Empty).Decode(body)) },
	},
	C.KIND_error_body: failed(encodeErrorBody, decodeErrorBody),

	C.KIND_hello_request:      asked(encodeHelloRequest, decodeHelloRequest, libproto.OpHello),
	C.KIND_hello_response:     answered(encodeHelloResponse, decodeHelloResponse, libproto.OpHello),
	C.KIND_login_request:      asked(encodeLoginRequest, decodeLoginRequest, libproto.OpLogin),
	C.KIND_login_response:     answered(encodeLoginResponse, decodeLoginResponse, libproto.OpLogin),
	C.KIND_heartbeat_request:  asked(encodeHeartbeatRequest, decodeHeartbeatRequest, libproto.OpHeartbeat),
	C.KIND_heartbeat_response: answered(encodeHeartbeatResponse, decodeHeartbeatResponse, libproto.OpHeartbeat),
	C.KIND_register_request:   asked(encodeRegisterRequest, decodeRegisterRequest, libproto.OpRegister, libproto.OpUserSetKeys),
	C.KIND_register_response:  answered(encodeRegisterResponse, decodeRegisterResponse, libproto.OpRegister, libproto.OpUserAdd),
	C.KIND_going_away:         asked(encodeGoingAway, decodeGoingAway, libproto.OpGoingAway),

	C.KIND_join_room_request:     asked(encodeJoinRoomRequest, decodeJoinRoomRequest, libproto.OpJoinRoom),
	C.KIND_join_room_response:    answered(encodeJoinRoomResponse, decodeJoinRoomResponse, libproto.OpJoinRoom),
	C.KIND_leave_room_request:    asked(encodeLeaveRoomRequest, decodeLeaveRoomRequest, libproto.OpLeaveRoom),
	C.KIND_room_open_request:     asked(encodeRoomOpenRequest, decodeRoomOpenRequest, libproto.OpRoomOpen),
	C.KIND_room_open_response:    answered(encodeRoomOpenResponse, decodeRoomOpenResponse, libproto.OpRoomOpen),
	C.KIND_room_list_request:     asked(encodeRoomListRequest, decodeRoomListRequest, libproto.OpRoomList),
	C.KIND_room_list_response:    answered(encodeRoomListResponse, decodeRoomListResponse, libproto.OpRoomList),
	C.KIND_room_history_request:  asked(encodeRoomHistoryRequest, decodeRoomHistoryRequest, libproto.OpRoomHistory),
	C.KIND_room_history_response: answered(encodeRoomHistoryResponse, decodeRoomHistoryResponse, libproto.OpRoomHistory),
	C.KIND_room_event:            asked(encodeRoomEvent, decodeRoomEvent, libproto.OpRoomEvent),

	C.KIND_chat_send_request:    asked(encodeChatSendRequest, decodeChatSendRequest, libproto.OpChatSend),
	C.KIND_chat_send_response:   answered(encodeChatSendResponse, decodeChatSendResponse, libproto.OpChatSend),
	C.KIND_chat_broadcast:       asked(encodeChatBroadcast, decodeChatBroadcast, libproto.OpChatBroadcast),
	C.KIND_direct_send_request:  asked(encodeDirectSendRequest, decodeDirectSendRequest, libproto.OpDirectSend),
	C.KIND_direct_send_response: answered(encodeDirectSendResponse, decodeDirectSendResponse, libproto.OpDirectSend),
	C.KIND_direct_message:       asked(encodeDirectMessage, decodeDirectMessage, libproto.OpDirectMessage),

	C.KIND_who_request:          asked(encodeWhoRequest, decodeWhoRequest, libproto.OpWho),
	C.KIND_who_response:         answered(encodeWhoResponse, decodeWhoResponse, libproto.OpWho),
	C.KIND_user_lookup_request:  asked(encodeUserLookupRequest, decodeUserLookupRequest, libproto.OpUserLookup),
	C.KIND_user_lookup_response: answered(encodeUserLookupResponse, decodeUserLookupResponse, libproto.OpUserLookup),

	C.KIND_amount_request:          asked(encodeAmountRequest, decodeAmountRequest, libproto.OpDeposit, libproto.OpWithdraw),
	C.KIND_txn_response:            answered(encodeTxnResponse, decodeTxnResponse, moneyOps...),
	C.KIND_transfer_request:        asked(encodeTransferRequest, decodeTransferRequest, libproto.OpTransfer),
	C.KIND_balance_response:        answered(encodeBalanceResponse, decodeBalanceResponse, libproto.OpBalance),
	C.KIND_txn_history_request:     asked(encodeTxnHistoryRequest, decodeTxnHistoryRequest, libproto.OpTxnHistory),
	C.KIND_txn_history_response:    answered(encodeTxnHistoryResponse, decodeTxnHistoryResponse, libproto.OpTxnHistory),
	C.KIND_transfer_batch_request:  asked(encodeTransferBatchRequest, decodeTransferBatchRequest, libproto.OpTransferBatch),
	C.KIND_transfer_batch_response: answered(encodeTransferBatchResponse, decodeTransferBatchResponse, libproto.OpTransferBatch),
	C.KIND_txn_status_request:      asked(encodeTxnStatusRequest, decodeTxnStatusRequest, libproto.OpTxnStatus),
	C.KIND_txn_status_response:     answered(encodeTxnStatusResponse, decodeTxnStatusResponse, libproto.OpTxnStatus),

	C.KIND_user_add_request:      asked(encodeUserAddRequest, decodeUserAddRequest, libproto.OpUserAdd),
	C.KIND_server_stats_response: answered(encodeServerStatsResponse, decodeServerStatsResponse, libproto.OpServerStats),
}

// carriedBy says whether a frame with this header has such a body. One that is encrypted or compressed has none that can
// be read.
func (c *codec) carriedBy(h libproto.Header) C.int {
	if h.Flags&^(libproto.FlagResponse|libproto.FlagReplayed) != 0 {
		return C.TC_PROTO_E_FLAGS
	}
	var fits bool
	switch {
	case h.Flags&libproto.FlagResponse == 0:
		fits = h.Status == libproto.StatusOK && h.Flags == 0 && slices.Contains(c.asked, h.Op)
	case h.Status == libproto.StatusOK:
		fits = slices.Contains(c.answered, h.Op)
	default:
		fits = c.failed
	}
	if !fits {
		return C.TC_PROTO_E_BODY_TYPE
	}
	return C.TC_PROTO_OK
}

// encodeBody puts a whole frame into out. What does not fit goes on in memory of its own, only to be measured.
func (c *codec) encodeBody(h libproto.Header, body unsafe.Pointer, out []byte, f *fault) (needed int, result C.int) {
	if result := c.carriedBy(h); result != C.TC_PROTO_OK {
		return 0, result
	}
	frame := c.encode(f, libproto.AppendHeader(out[:0], h), body)
	switch {
	case *f != C.TC_PROTO_OK:
		return 0, C.int(*f)
	case len(frame) > len(out):
		return len(frame), C.TC_PROTO_E_SHORT
	}
	libproto.Seal(frame)
	return len(frame), C.TC_PROTO_OK
}

//go:build cgo

package proto

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

func encodes[T any](encode func(*fault, []byte, *T) []byte) encoder {
	return func(f *fault, dst []byte, body unsafe.Pointer) []byte { return encode(f, dst, (*T)(body)) }
}

func decodes[T any](decode func([]byte, *T) C.int) decoder {
	return func(body []byte, into unsafe.Pointer) C.int { return decode(body, (*T)(into)) }
}

// codecs is the one table of bodies.
var codecs = [C.KINDS]codec{
	C.KIND_empty: {
		asked:    ops{libproto.OpLogout, libproto.OpBalance, libproto.OpServerStats},
		answered: ops{libproto.OpLogout, libproto.OpLeaveRoom, libproto.OpUserSetKeys},
		encode:   func(_ *fault, dst []byte, _ unsafe.Pointer) []byte { return dst },
		decode:   func(body []byte, _ unsafe.Pointer) C.int { return resultOf(new(libproto.Empty).Decode(body)) },
	},
	C.KIND_error_body: {failed: true, encode: encodes(encodeErrorBody), decode: decodes(decodeErrorBody)},

	C.KIND_hello_request:      {asked: ops{libproto.OpHello}, encode: encodes(encodeHelloRequest), decode: decodes(decodeHelloRequest)},
	C.KIND_hello_response:     {answered: ops{libproto.OpHello}, encode: encodes(encodeHelloResponse), decode: decodes(decodeHelloResponse)},
	C.KIND_login_request:      {asked: ops{libproto.OpLogin}, encode: encodes(encodeLoginRequest), decode: decodes(decodeLoginRequest)},
	C.KIND_login_response:     {answered: ops{libproto.OpLogin}, encode: encodes(encodeLoginResponse), decode: decodes(decodeLoginResponse)},
	C.KIND_heartbeat_request:  {asked: ops{libproto.OpHeartbeat}, encode: encodes(encodeHeartbeatRequest), decode: decodes(decodeHeartbeatRequest)},
	C.KIND_heartbeat_response: {answered: ops{libproto.OpHeartbeat}, encode: encodes(encodeHeartbeatResponse), decode: decodes(decodeHeartbeatResponse)},
	C.KIND_register_request:   {asked: ops{libproto.OpRegister, libproto.OpUserSetKeys}, encode: encodes(encodeRegisterRequest), decode: decodes(decodeRegisterRequest)},
	C.KIND_register_response:  {answered: ops{libproto.OpRegister, libproto.OpUserAdd}, encode: encodes(encodeRegisterResponse), decode: decodes(decodeRegisterResponse)},
	C.KIND_going_away:         {asked: ops{libproto.OpGoingAway}, encode: encodes(encodeGoingAway), decode: decodes(decodeGoingAway)},

	C.KIND_join_room_request:     {asked: ops{libproto.OpJoinRoom}, encode: encodes(encodeJoinRoomRequest), decode: decodes(decodeJoinRoomRequest)},
	C.KIND_join_room_response:    {answered: ops{libproto.OpJoinRoom}, encode: encodes(encodeJoinRoomResponse), decode: decodes(decodeJoinRoomResponse)},
	C.KIND_leave_room_request:    {asked: ops{libproto.OpLeaveRoom}, encode: encodes(encodeLeaveRoomRequest), decode: decodes(decodeLeaveRoomRequest)},
	C.KIND_room_open_request:     {asked: ops{libproto.OpRoomOpen}, encode: encodes(encodeRoomOpenRequest), decode: decodes(decodeRoomOpenRequest)},
	C.KIND_room_open_response:    {answered: ops{libproto.OpRoomOpen}, encode: encodes(encodeRoomOpenResponse), decode: decodes(decodeRoomOpenResponse)},
	C.KIND_room_list_request:     {asked: ops{libproto.OpRoomList}, encode: encodes(encodeRoomListRequest), decode: decodes(decodeRoomListRequest)},
	C.KIND_room_list_response:    {answered: ops{libproto.OpRoomList}, encode: encodes(encodeRoomListResponse), decode: decodes(decodeRoomListResponse)},
	C.KIND_room_history_request:  {asked: ops{libproto.OpRoomHistory}, encode: encodes(encodeRoomHistoryRequest), decode: decodes(decodeRoomHistoryRequest)},
	C.KIND_room_history_response: {answered: ops{libproto.OpRoomHistory}, encode: encodes(encodeRoomHistoryResponse), decode: decodes(decodeRoomHistoryResponse)},
	C.KIND_room_event:            {asked: ops{libproto.OpRoomEvent}, encode: encodes(encodeRoomEvent), decode: decodes(decodeRoomEvent)},

	C.KIND_chat_send_request:    {asked: ops{libproto.OpChatSend}, encode: encodes(encodeChatSendRequest), decode: decodes(decodeChatSendRequest)},
	C.KIND_chat_send_response:   {answered: ops{libproto.OpChatSend}, encode: encodes(encodeChatSendResponse), decode: decodes(decodeChatSendResponse)},
	C.KIND_chat_broadcast:       {asked: ops{libproto.OpChatBroadcast}, encode: encodes(encodeChatBroadcast), decode: decodes(decodeChatBroadcast)},
	C.KIND_direct_send_request:  {asked: ops{libproto.OpDirectSend}, encode: encodes(encodeDirectSendRequest), decode: decodes(decodeDirectSendRequest)},
	C.KIND_direct_send_response: {answered: ops{libproto.OpDirectSend}, encode: encodes(encodeDirectSendResponse), decode: decodes(decodeDirectSendResponse)},
	C.KIND_direct_message:       {asked: ops{libproto.OpDirectMessage}, encode: encodes(encodeDirectMessage), decode: decodes(decodeDirectMessage)},

	C.KIND_who_request:          {asked: ops{libproto.OpWho}, encode: encodes(encodeWhoRequest), decode: decodes(decodeWhoRequest)},
	C.KIND_who_response:         {answered: ops{libproto.OpWho}, encode: encodes(encodeWhoResponse), decode: decodes(decodeWhoResponse)},
	C.KIND_user_lookup_request:  {asked: ops{libproto.OpUserLookup}, encode: encodes(encodeUserLookupRequest), decode: decodes(decodeUserLookupRequest)},
	C.KIND_user_lookup_response: {answered: ops{libproto.OpUserLookup}, encode: encodes(encodeUserLookupResponse), decode: decodes(decodeUserLookupResponse)},

	C.KIND_amount_request:          {asked: ops{libproto.OpDeposit, libproto.OpWithdraw}, encode: encodes(encodeAmountRequest), decode: decodes(decodeAmountRequest)},
	C.KIND_txn_response:            {answered: ops{libproto.OpDeposit, libproto.OpWithdraw, libproto.OpTransfer}, encode: encodes(encodeTxnResponse), decode: decodes(decodeTxnResponse)},
	C.KIND_transfer_request:        {asked: ops{libproto.OpTransfer}, encode: encodes(encodeTransferRequest), decode: decodes(decodeTransferRequest)},
	C.KIND_balance_response:        {answered: ops{libproto.OpBalance}, encode: encodes(encodeBalanceResponse), decode: decodes(decodeBalanceResponse)},
	C.KIND_txn_history_request:     {asked: ops{libproto.OpTxnHistory}, encode: encodes(encodeTxnHistoryRequest), decode: decodes(decodeTxnHistoryRequest)},
	C.KIND_txn_history_response:    {answered: ops{libproto.OpTxnHistory}, encode: encodes(encodeTxnHistoryResponse), decode: decodes(decodeTxnHistoryResponse)},
	C.KIND_transfer_batch_request:  {asked: ops{libproto.OpTransferBatch}, encode: encodes(encodeTransferBatchRequest), decode: decodes(decodeTransferBatchRequest)},
	C.KIND_transfer_batch_response: {answered: ops{libproto.OpTransferBatch}, encode: encodes(encodeTransferBatchResponse), decode: decodes(decodeTransferBatchResponse)},
	C.KIND_txn_status_request:      {asked: ops{libproto.OpTxnStatus}, encode: encodes(encodeTxnStatusRequest), decode: decodes(decodeTxnStatusRequest)},
	C.KIND_txn_status_response:     {answered: ops{libproto.OpTxnStatus}, encode: encodes(encodeTxnStatusResponse), decode: decodes(decodeTxnStatusResponse)},

	C.KIND_user_add_request:      {asked: ops{libproto.OpUserAdd}, encode: encodes(encodeUserAddRequest), decode: decodes(decodeUserAddRequest)},
	C.KIND_server_stats_response: {answered: ops{libproto.OpServerStats}, encode: encodes(encodeServerStatsResponse), decode: decodes(decodeServerStatsResponse)},
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

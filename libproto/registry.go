package libproto

//go:generate go run ./internal/gen/cmd/gen

type maker func() DecodableBody

func (m maker) make() DecodableBody {
	if m == nil {
		return nil
	}
	return m()
}

// entry is one opcode: its name and the bodies that travel under it, nil where there is none.
type entry struct {
	op                      Opcode
	name                    string
	request, response, push maker
	batch                   bool // its request begins with the number of its legs, each of which counts as a request
}

// table is the one list of opcodes, in ascending order: entry i has dense index i. What other languages and pages need of it, and of
// the bodies, is generated: go generate ./libproto.
var table = [OpcodeCount]entry{
	{op: OpHello, name: "HELLO", request: zero[HelloRequest], response: zero[HelloResponse]},
	{op: OpLogin, name: "LOGIN", request: zero[LoginRequest], response: zero[LoginResponse]},
	{op: OpLogout, name: "LOGOUT", request: zero[Empty], response: zero[Empty]},
	{op: OpHeartbeat, name: "HEARTBEAT", request: zero[HeartbeatRequest], response: zero[HeartbeatResponse]},
	{op: OpRegister, name: "REGISTER", request: zero[RegisterRequest], response: zero[RegisterResponse]},
	{op: OpGoingAway, name: "GOING_AWAY", push: zero[GoingAway]},

	{op: OpJoinRoom, name: "JOIN_ROOM", request: zero[JoinRoomRequest], response: zero[JoinRoomResponse]},
	{op: OpLeaveRoom, name: "LEAVE_ROOM", request: zero[LeaveRoomRequest], response: zero[Empty]},
	{op: OpChatSend, name: "CHAT_SEND", request: zero[ChatSendRequest], response: zero[ChatSendResponse]},
	{op: OpChatBroadcast, name: "CHAT_BROADCAST", push: zero[ChatBroadcast]},
	{op: OpRoomOpen, name: "ROOM_OPEN", request: zero[RoomOpenRequest], response: zero[RoomOpenResponse]},
	{op: OpRoomList, name: "ROOM_LIST", request: zero[RoomListRequest], response: zero[RoomListResponse]},
	{op: OpRoomHistory, name: "ROOM_HISTORY", request: zero[RoomHistoryRequest], response: zero[RoomHistoryResponse]},
	{op: OpRoomEvent, name: "ROOM_EVENT", push: zero[RoomEvent]},
	{op: OpDirectSend, name: "DIRECT_SEND", request: zero[DirectSendRequest], response: zero[DirectSendResponse]},
	{op: OpDirectMessage, name: "DIRECT_MESSAGE", push: zero[DirectMessage]},
	{op: OpWho, name: "WHO", request: zero[WhoRequest], response: zero[WhoResponse]},
	{op: OpUserLookup, name: "USER_LOOKUP", request: zero[UserLookupRequest], response: zero[UserLookupResponse]},

	{op: OpDeposit, name: "DEPOSIT", request: zero[DepositRequest], response: zero[DepositResponse]},
	{op: OpWithdraw, name: "WITHDRAW", request: zero[WithdrawRequest], response: zero[WithdrawResponse]},
	{op: OpTransfer, name: "TRANSFER", request: zero[TransferRequest], response: zero[TransferResponse]},
	{op: OpBalance, name: "BALANCE", request: zero[Empty], response: zero[BalanceResponse]},
	{op: OpTxnHistory, name: "TXN_HISTORY", request: zero[TxnHistoryRequest], response: zero[TxnHistoryResponse]},
	{op: OpTransferBatch, name: "TRANSFER_BATCH", request: zero[TransferBatchRequest], response: zero[TransferBatchResponse], batch: true},
	{op: OpTxnStatus, name: "TXN_STATUS", request: zero[TxnStatusRequest], response: zero[TxnStatusResponse]},

	{op: OpUserAdd, name: "USER_ADD", request: zero[UserAddRequest], response: zero[UserAddResponse]},
	{op: OpUserSetKeys, name: "USER_SET_KEYS", request: zero[UserSetKeysRequest], response: zero[Empty]},
	{op: OpServerStats, name: "SERVER_STATS", request: zero[Empty], response: zero[ServerStatsResponse]},
}

// zero returns a new zero T as a body.
func zero[T any, P interface {
	*T
	DecodableBody
}]() DecodableBody {
	return P(new(T))
}

// NewRequest returns a new zero request body for op; nil when op is unknown or is a push, which no client may send.
func NewRequest(op Opcode) DecodableBody {
	return lookup(op).request.make()
}

// NewResponse returns a new zero body of an OK response to op, nil when there is none. A response with any other
// status has an ErrorBody.
func NewResponse(op Opcode) DecodableBody {
	return lookup(op).response.make()
}

// NewPush returns a new zero push body for op; nil when op is unknown or is not a push.
func NewPush(op Opcode) DecodableBody {
	return lookup(op).push.make()
}

// Weight is how many requests a request counts as against a rate limit: one, and a batch as many as it says it has legs, at most
// BatchLegsMax. The body is not decoded: a batch that says fewer legs than there are is refused when it is.
func Weight(op Opcode, body []byte) uint64 {
	if i, ok := op.Index(); !ok || !table[i].batch || len(body) < 2 {
		return 1
	}
	return min(max(1, uint64(be.Uint16(body))), BatchLegsMax)
}

// lookup returns op's entry, an empty one for an unknown opcode.
func lookup(op Opcode) entry {
	if i, ok := op.Index(); ok {
		return table[i]
	}
	return entry{}
}

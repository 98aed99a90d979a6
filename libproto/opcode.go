package libproto

import "fmt"

// Opcode says what a frame is about. The high byte is the group, the low byte counts from 1 within it without holes.
type Opcode uint16

const (
	OpHello Opcode = 0x0001 + iota
	OpLogin
	OpLogout
	OpHeartbeat
	OpRegister
	OpGoingAway
)

const (
	OpJoinRoom Opcode = 0x0101 + iota
	OpLeaveRoom
	OpChatSend
	OpChatBroadcast
	OpRoomOpen
	OpRoomList
	OpRoomHistory
	OpRoomEvent
	OpDirectSend
	OpDirectMessage
	OpWho
	OpUserLookup
)

const (
	OpDeposit Opcode = 0x0201 + iota
	OpWithdraw
	OpTransfer
	OpBalance
	OpTxnHistory
	OpTransferBatch
	OpTxnStatus
)

const (
	OpUserAdd Opcode = 0x0301 + iota
	OpUserSetKeys
	OpServerStats
)

// OpcodeCount is the number of opcodes: Index returns 0 … OpcodeCount-1.
const OpcodeCount = 28

// groups[g] says which dense indices the opcodes 0x0g01, 0x0g02 … have.
var groups = [...]struct{ first, count uint16 }{
	{0, uint16(OpGoingAway & 0xff)},
	{6, uint16(OpUserLookup & 0xff)},
	{18, uint16(OpTxnStatus & 0xff)},
	{25, uint16(OpServerStats & 0xff)},
}

// Index returns o's place in Opcodes, for tables of counters, and whether o is an opcode at all.
func (o Opcode) Index() (i int, ok bool) {
	if int(o>>8) >= len(groups) {
		return 0, false
	}
	g := groups[o>>8]
	low := uint16(o&0xff) - 1 // 0x..00 wraps to a number over every count
	return int(g.first + low), low < g.count
}

// String returns the wire name, such as "TRANSFER"; an unknown opcode is "0x7777".
func (o Opcode) String() string {
	if i, ok := o.Index(); ok {
		return table[i].name
	}
	return fmt.Sprintf("0x%04X", uint16(o))
}

// Opcodes returns every opcode in ascending order, in a new slice.
func Opcodes() []Opcode {
	all := make([]Opcode, len(table))
	for i := range table {
		all[i] = table[i].op
	}
	return all
}

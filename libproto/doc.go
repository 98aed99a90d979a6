// Package libproto is the NS protocol, version 1, as Go types: frames, the bodies of every opcode, and the login key
// schedule. It opens no socket and keeps no state; the server, the client and the load generator share it. The
// protocol's own page is docs/protocol.md, and a test holds that page and this package together.
//
// # A frame
//
// A header of 32 bytes and a body, all of it big-endian:
//
//	 0        2   3   4        6            10       12       14                 22           26          32
//	+--------+---+---+--------+------------+--------+--------+------------------+------------+-----------+------~
//	| magic  |ver|flg| h. len | body_len   | opcode | status | req_id           | checksum   | reserved  | body
//	| "NS"   | 1 |   | 32     |            |        |        |                  | CRC-32     | 0         |
//	+--------+---+---+--------+------------+--------+--------+------------------+------------+-----------+------~
//	\___________________________________ covered _______________________________/            \______ covered ______
//
// To send one, append its parts to a buffer and seal it:
//
//	start := len(buf)
//	buf = AppendHeader(buf, Header{Op: OpTransfer, ReqID: id})
//	buf = TransferRequest{ToUserID: 9, Amount: 250}.AppendTo(buf)
//	Seal(buf[start:])
//
// To receive, give Decoder.Next whatever has arrived. It returns one Frame and how many bytes that took, or asks for
// more; the body's type follows from the frame's opcode, from FlagResponse and, in a response, from the status.
//
// # Invariants
//
//   - Nothing here copies a body or keeps a reference to one. A Frame's Body aliases the caller's buffer, and the
//     []byte fields of a decoded body alias that: they hold as long as the buffer is left alone.
//   - The decoder never allocates, nor does a body's AppendTo while there is room, nor its Decode into a struct that
//     was used before. Header faults and an over-long body are seen from the header alone.
//   - A body has one encoding only. Whatever Decode accepts, AppendTo gives back byte for byte; a missing byte, one
//     too many, or a list longer than its body is an error, found before anything is allocated for it.
//   - Errors are bare sentinel variables: compare them, or ask IsFatal. Decode errors never end a stream.
//   - A field or a list too long for its u16 length is a mistake of the sender's code, and panics.
//
// # Reading order
//
// header.go (the frame, and how it is made), decoder.go, checksum.go; registry.go (the one table of opcodes),
// opcode.go, status.go; body.go and cursor.go, then the bodies by group: body_connection.go, body_room.go,
// body_message.go, body_user.go, body_trading.go, body_batch.go, body_admin.go; login.go; limits.go.
package libproto

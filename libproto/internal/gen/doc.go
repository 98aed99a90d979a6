// Package gen writes what other languages and pages need to know of the protocol. Its one source is package libproto: the table of
// opcodes in registry.go, the structs of the bodies, and the constants, with the comments that stand beside them.
//
//	libproto/*.go ──parse, type-check──▶ Protocol ──┬─▶ include/tradechat/proto.h     enums, structs, prototypes (between marks)
//	                                                ├─▶ libproto/capi/*_gen.*         conversions, the table of bodies, names
//	                                                ├─▶ docs/protocol.md              tables of opcodes and statuses (between marks)
//	                                                └─▶ contrib/wireshark/tradechat.lua
//
// It reads the source, not the compiled package, so that it also works while libproto does not compile. `go generate ./libproto`
// writes; a test compares.
//
// # Invariants
//
//   - Nothing is listed here by opcode or by body: adding one touches libproto alone.
//   - What a comment says of a field is said everywhere. It begins with "str" or "bytes" where the Go type does not tell.
//   - The output depends on the source alone, and comes in the order of the table.
package gen

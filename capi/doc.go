// Package capi is where C programs come in: the packages below it are libproto, libnet and liblog with the functions that
// include/tradechat/*.h declares. The headers are the contract, written by hand; docs/c-api.md is the tutorial.
//
//	C program ── tc_proto_transfer… ─▶ calls.c ── tcgo_… ─▶ Go: exports_unsafe.go ─▶ libproto, libnet, liblog
//	             include/tradechat     E_FORKED             recovers, converts
//
// Each of capi/proto, capi/net and capi/log can be a library of its own (cmd/libproto, cmd/libnet, cmd/liblog), or all of
// them one (cmd/libtradechat), which has one Go runtime instead of three. scripts/c-libs.sh builds and isolates them.
//
// # Invariants
//
//   - No Go type and no Go pointer crosses. A handle is a number that looks like a pointer, and a number that is not in the
//     table is an error (internal/boundary).
//   - Every function that C calls in Go begins with a deferred boundary.Guard: a panic is E_INTERNAL, never the end of the
//     program.
//   - In a child of fork(2) the Go runtime has lost its threads. C turns such calls away before they enter Go, where they
//     might wait for ever.
//   - What is written to the caller's memory is written by a plain copy (put): a Go pointer store would make the garbage
//     collector look at what was there before, which in C is anything.
//   - Encoding and decoding allocate nothing, except for the rows of a list.
//   - Without cgo these packages are empty, so that everything still builds with CGO_ENABLED=0.
package capi

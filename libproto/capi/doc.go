// Package capi is libproto for C: the functions of include/tradechat/proto.h.
//
// # Reading order
//
// private.h, calls.c (what C sees), exports_unsafe.go (where Go is entered), codec_unsafe.go (what a body's codec is), fields.go
// and memory_unsafe.go; frames.go, stream.go, login.go; errors.go; names.c. The files called _gen are generated from libproto by
// libproto/internal/gen: the table of bodies, the conversions, the names.
package capi

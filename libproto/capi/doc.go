// Package capi is libproto for C: the functions of include/tradechat/proto.h.
//
// # Reading order
//
// private.h (the list of bodies), calls.c (what C sees), exports_unsafe.go (where Go is entered), codec_unsafe.go (the one
// table of bodies and their encoders and decoders), fields.go and memory_unsafe.go, then the bodies by group as in libproto;
// frames.go, stream.go, login.go; errors.go; names.c.
package capi

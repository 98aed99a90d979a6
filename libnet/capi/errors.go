//go:build cgo

package capi

// #include <tradechat/net.h>
import "C"

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"tradechat.internal/libnet"
)

// results is what C gets for each error, the first that matches.
var results = []struct {
	err    error
	result C.int
}{
	{errArgument, C.TC_NET_E_ARGUMENT},
	{errShort, C.TC_NET_E_SHORT},
	{libnet.ErrLimit, C.TC_NET_E_LIMIT},
	{context.DeadlineExceeded, C.TC_NET_E_TIMEOUT},
	{os.ErrDeadlineExceeded, C.TC_NET_E_TIMEOUT},
	{io.EOF, C.TC_NET_E_EOF},
	{io.ErrUnexpectedEOF, C.TC_NET_E_UNEXPECTED_EOF},
	{libnet.ErrAddress, C.TC_NET_E_ADDRESS},
	{libnet.ErrNonblocking, C.TC_NET_E_NONBLOCKING},
}

var (
	errArgument = errors.New("a null pointer, or a number out of its range")
	errShort    = errors.New("the buffer is too short")
)

// resultOf is what C gets for an error.
func resultOf(err error) C.int {
	if err == nil {
		return C.TC_NET_OK
	}
	for _, r := range results {
		if errors.Is(err, r.err) {
			return r.result
		}
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return C.TC_NET_E_ERRNO - C.int(errno)
	}
	if badAddress(err) {
		return C.TC_NET_E_ADDRESS
	}
	return C.TC_NET_E_INTERNAL
}

// badAddress tells errors of the address itself, as package net has them.
func badAddress(err error) bool {
	var (
		address *net.AddrError
		network net.UnknownNetworkError
		port    *net.ParseError
		name    *net.DNSError
	)
	return errors.As(err, &address) || errors.As(err, &network) || errors.As(err, &port) || errors.As(err, &name)
}

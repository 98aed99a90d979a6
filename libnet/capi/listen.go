//go:build cgo

package capi

// #include <tradechat/net.h>
import "C"

import (
	"fmt"

	"tradechat.internal/libnet"
)

// listen makes listening sockets; their descriptors are the caller's.
func listen(address string, o *C.tc_net_listen_options, fds []C.int) error {
	options := libnet.ListenOptions{Backlog: int(o.backlog), Socket: socketIn(&o.socket)}
	if len(fds) == 1 {
		s, err := libnet.Listen(address, options)
		if err != nil {
			return err
		}
		fds[0] = C.int(s.FD())
		return nil
	}
	group, _, err := libnet.ListenGroup(address, len(fds), options)
	for i, s := range group {
		fds[i] = C.int(s.FD())
	}
	return err
}

// address writes the local address of a socket and a NUL to out.
func address(fd int, out []byte) error {
	at, err := libnet.AddrOf(fd)
	if err != nil {
		return err
	}
	text := at.String()
	if len(text) >= len(out) {
		return fmt.Errorf("%w: %q and its NUL do not fit in %d bytes", errShort, text, len(out))
	}
	out[copy(out, text)] = 0
	return nil
}

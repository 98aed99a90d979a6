//go:build cgo

package capi

// #cgo CFLAGS: -std=gnu11 -Wall -Wextra -I${SRCDIR}/../../include
// #include <tradechat/net.h>
import "C"

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tradechat.internal/capi/boundary"
	"tradechat.internal/libnet"
)

// Where calls.c enters Go. What these functions do and answer is in the public header; detail is the thread's text.

// answer is the result of err, and puts its text where C finds it.
func answer(err error, detail *C.char) C.int {
	if err != nil {
		text := unsafe.Slice((*byte)(unsafe.Pointer(detail)), C.TC_NET_DETAIL_MAX)
		text[copy(text[:len(text)-1], err.Error())] = 0
	}
	return resultOf(err)
}

// bytesAt is n bytes at p, in the caller's memory.
func bytesAt(p unsafe.Pointer, n C.size_t) ([]byte, error) {
	switch {
	case n == 0:
		return nil, nil
	case p == nil:
		return nil, errArgument
	case n > C.TC_NET_IO_MAX:
		return nil, fmt.Errorf("libnet: %d bytes at once: %w (1 to %d)", n, libnet.ErrLimit, C.TC_NET_IO_MAX)
	}
	return unsafe.Slice((*byte)(p), int(n)), nil
}

//export tcgo_net_dial
func tcgo_net_dial(network, address *C.char, o *C.tc_net_dial_options, detail *C.char) (result C.int) {
	defer boundary.Guard(&result)
	fd, err := dial(C.GoString(network), C.GoString(address), o)
	if err != nil {
		return answer(err, detail)
	}
	return C.int(fd)
}

//export tcgo_net_listen
func tcgo_net_listen(address *C.char, o *C.tc_net_listen_options, fds *C.int, count C.size_t, detail *C.char) (result C.int) {
	defer boundary.Guard(&result)
	if count < 1 || count > libnet.ListenGroupMax {
		return answer(fmt.Errorf("libnet: %d listening sockets: %w (1 to %d)", count, libnet.ErrLimit, libnet.ListenGroupMax), detail)
	}
	return answer(listen(C.GoString(address), o, unsafe.Slice(fds, int(count))), detail)
}

//export tcgo_net_address
func tcgo_net_address(fd C.int, out *C.char, outCap C.size_t, detail *C.char) (result C.int) {
	defer boundary.Guard(&result)
	room, err := bytesAt(unsafe.Pointer(out), min(outCap, C.TC_NET_ADDRESS_MAX))
	if err != nil {
		return answer(err, detail)
	}
	return answer(address(int(fd), room), detail)
}

// move runs ReadN or WriteN.
func move(
	fd C.int, buf unsafe.Pointer, n C.size_t, timeoutMs C.int64_t, done *C.size_t, detail *C.char,
	f func(int, []byte, time.Time) (int, error),
) C.int {
	bytes, err := bytesAt(buf, n)
	if err != nil {
		return answer(err, detail)
	}
	moved, err := f(int(fd), bytes, deadline(timeoutMs))
	*done = C.size_t(moved)
	return answer(err, detail)
}

//export tcgo_net_read_all
func tcgo_net_read_all(
	fd C.int, buf unsafe.Pointer, n C.size_t, timeoutMs C.int64_t, done *C.size_t,
	detail *C.char,
) (result C.int) {
	defer boundary.Guard(&result)
	return move(fd, buf, n, timeoutMs, done, detail, libnet.ReadN)
}

//export tcgo_net_write_all
func tcgo_net_write_all(
	fd C.int, buf unsafe.Pointer, n C.size_t, timeoutMs C.int64_t, done *C.size_t,
	detail *C.char,
) (result C.int) {
	defer boundary.Guard(&result)
	return move(fd, buf, n, timeoutMs, done, detail, libnet.WriteN)
}

//export tcgo_net_set_timeouts
func tcgo_net_set_timeouts(fd C.int, receiveMs, sendMs C.int64_t, detail *C.char) (result C.int) {
	defer boundary.Guard(&result)
	return answer(libnet.SetTimeouts(int(fd), millis(receiveMs), millis(sendMs)), detail)
}

//export tcgo_net_set_keepalive
func tcgo_net_set_keepalive(fd C.int, k *C.tc_net_keepalive, detail *C.char) (result C.int) {
	defer boundary.Guard(&result)
	return answer(libnet.SetKeepAlive(int(fd), keepAliveIn(k)), detail)
}

//export tcgo_net_set_nodelay
func tcgo_net_set_nodelay(fd, on C.int, detail *C.char) (result C.int) {
	defer boundary.Guard(&result)
	return answer(libnet.SetNoDelay(int(fd), on != 0), detail)
}

//export tcgo_net_set_nonblocking
func tcgo_net_set_nonblocking(fd, on C.int, detail *C.char) (result C.int) {
	defer boundary.Guard(&result)
	if err := unix.SetNonblock(int(fd), on != 0); err != nil {
		return answer(fmt.Errorf("set O_NONBLOCK on descriptor %d: %w", fd, err), detail)
	}
	return C.TC_NET_OK
}

//export tcgo_net_set_buffers
func tcgo_net_set_buffers(fd C.int, receiveBytes, sendBytes C.uint32_t, detail *C.char) (result C.int) {
	defer boundary.Guard(&result)
	return answer(libnet.SetBuffers(int(fd), int(receiveBytes), int(sendBytes)), detail)
}

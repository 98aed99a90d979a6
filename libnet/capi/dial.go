//go:build cgo

package capi

// #include <tradechat/net.h>
import "C"

import (
	"context"
	"errors"
	"math"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"
)

// firstFD is the least descriptor that C gets: 0, 1 and 2 are its stdio, open or not.
const firstFD = 3

// dialTimeout is how long tc_net_dial tries when no time is given.
const dialTimeout = 30 * time.Second

// millis is a C time; one that a Duration cannot hold is the longest.
func millis(ms C.int64_t) time.Duration {
	if ms > math.MaxInt64/C.int64_t(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(max(ms, 0)) * time.Millisecond
}

// deadline is when a time-out from now is over; a negative one never is.
func deadline(ms C.int64_t) time.Time {
	if ms < 0 || millis(ms) == math.MaxInt64 {
		return time.Time{}
	}
	return time.Now().Add(millis(ms))
}

func keepAliveIn(k *C.tc_net_keepalive) libnet.KeepAlive {
	return libnet.KeepAlive{
		Idle:     time.Duration(k.idle_s) * time.Second,
		Interval: time.Duration(k.interval_s) * time.Second,
		Count:    int(k.count),
	}
}

func socketIn(o *C.tc_net_socket_options) libnet.SocketOptions {
	return libnet.SocketOptions{
		KeepAlive:          keepAliveIn(&o.keepalive),
		ReceiveBufferBytes: int(o.receive_buffer_bytes),
		SendBufferBytes:    int(o.send_buffer_bytes),
	}
}

// dial connects and returns a descriptor that is the caller's.
func dial(network, address string, o *C.tc_net_dial_options) (fd int, err error) {
	ctx := context.Background()
	if o.timeout_ms >= 0 {
		limit := millis(o.timeout_ms)
		if limit == 0 {
			limit = dialTimeout
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	conn, err := libnet.Dialer{
		Attempts:       int(o.attempts),
		AttemptTimeout: millis(o.attempt_timeout_ms),
		Backoff:        libnet.Backoff{Base: millis(o.backoff_base_ms), Cap: millis(o.backoff_cap_ms)},
		Socket:         socketIn(&o.socket),
	}.Dial(ctx, network, address)
	if err != nil {
		return -1, err
	}
	return release(conn, o.nonblocking != 0)
}

// release takes the socket out of the Go runtime's hands, by a descriptor of its own.
func release(conn net.Conn, nonblocking bool) (fd int, err error) {
	defer conn.Close()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return -1, err
	}
	var inner error
	err = raw.Control(func(held uintptr) { fd, inner = unix.FcntlInt(held, unix.F_DUPFD_CLOEXEC, firstFD) })
	if err = errors.Join(err, inner); err != nil {
		return -1, err
	}
	if err := unix.SetNonblock(fd, nonblocking); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

package client

import (
	"net"
	"runtime"
	"testing"
)

// AwaitQueued waits until n requests are under way on the connection in use.
func AwaitQueued(t testing.TB, c *Client, n int) {
	l, _ := c.greeted()
	for {
		l.mu.Lock()
		pending := len(l.pending)
		l.mu.Unlock()
		if pending >= n {
			return
		}
		if t.Context().Err() != nil {
			return
		}
		runtime.Gosched()
	}
}

// ShrinkSendBuffer makes the kernel take little of what the peer does not read.
func ShrinkSendBuffer(t testing.TB, c *Client) {
	l, _ := c.greeted()
	if err := l.conn.(*net.TCPConn).SetWriteBuffer(32 << 10); err != nil {
		t.Error(err)
	}
}

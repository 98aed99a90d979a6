package client

import (
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

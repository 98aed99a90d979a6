package faultproxy

import (
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// pair is a client's connection and the one to the server.
type pair struct {
	near, far net.Conn
	left      atomic.Int64 // bytes that may still go through
	dropping  atomic.Bool
	ended     chan struct{}
	once      sync.Once
}

func newPair(near, far net.Conn) *pair {
	p := &pair{near: near, far: far, ended: make(chan struct{})}
	p.left.Store(math.MaxInt64)
	return p
}

// end closes both sides.
func (p *pair) end() {
	p.once.Do(func() {
		close(p.ended)
		_, _ = p.near.Close(), p.far.Close()
	})
}

// cut lets so many bytes through, and then none.
func (p *pair) cut(bytes int64) {
	p.left.Store(bytes)
	time.AfterFunc(cutAfterMax, p.end)
}

func (p *pair) drop(d time.Duration) {
	p.dropping.Store(true)
	time.AfterFunc(d, p.end)
}

// pump passes on what comes from one side until the pair ends.
func (p *pair) pump(to, from net.Conn, delay *atomic.Int64) {
	defer p.end()
	buffer := make([]byte, chunkBytes)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !p.pass(to, buffer[:n], time.Duration(delay.Load())) {
			return
		}
		if err != nil {
			return
		}
	}
}

// pass writes a chunk, or as much of it as may go through; false: that was the last.
func (p *pair) pass(to net.Conn, chunk []byte, delay time.Duration) bool {
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-p.ended:
			return false
		}
	}
	if p.dropping.Load() {
		return true
	}
	left := p.left.Add(-int64(len(chunk)))
	if left < 0 {
		chunk = chunk[:max(0, int64(len(chunk))+left)]
	}
	_, err := to.Write(chunk)
	return err == nil && left >= 0
}

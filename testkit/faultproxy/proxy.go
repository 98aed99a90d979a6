package faultproxy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy is a running proxy.
type Proxy struct {
	listener net.Listener
	delay    atomic.Int64 // nanoseconds, of every chunk
	closed   atomic.Int64 // until when new connections are turned away: nanoseconds since born
	born     time.Time
	running  sync.WaitGroup
	closing  context.Context
	close    context.CancelFunc

	mu     sync.Mutex
	server string
	random *rand.Rand
	pairs  map[*pair]struct{}
}

// Start listens on a free loopback port and passes what comes on to the server.
func Start(server string, random *rand.Rand) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	p := &Proxy{listener: listener, server: server, random: random, born: time.Now(), pairs: make(map[*pair]struct{})}
	p.closing, p.close = context.WithCancel(context.Background())
	p.running.Go(p.accept)
	return p, nil
}

// Address is where clients connect to.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// SetServer changes where further connections go.
func (p *Proxy) SetServer(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = address
}

// Delay holds back everything by d, until it is called again; 0 ends it.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// TurnAway ends every new connection at once, for the next d.
func (p *Proxy) TurnAway(d time.Duration) { p.closed.Store(int64(time.Since(p.born) + d)) }

// Cut ends a share of the connections, some of them in the middle of a frame, and returns how many those are.
func (p *Proxy) Cut(share float64) int {
	chosen := p.choose(share)
	for _, c := range chosen {
		c.pair.cut(c.bytes)
	}
	return len(chosen)
}

// Drop loses everything that comes on a share of the connections from now on, and ends them after d. It returns how many
// those are.
func (p *Proxy) Drop(share float64, d time.Duration) int {
	chosen := p.choose(share)
	for _, c := range chosen {
		c.pair.drop(d)
	}
	return len(chosen)
}

// CutAll ends all connections at once.
func (p *Proxy) CutAll() {
	for _, c := range p.choose(1) {
		c.pair.end()
	}
}

// Close ends the proxy and all its connections.
func (p *Proxy) Close() error {
	p.close()
	err := p.listener.Close()
	p.CutAll()
	p.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// choice is a connection that something is done to, and how many bytes it may still carry.
type choice struct {
	pair  *pair
	bytes int64
}

func (p *Proxy) choose(share float64) (chosen []choice) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for one := range p.pairs {
		if p.random.Float64() < share {
			chosen = append(chosen, choice{one, p.random.Int64N(cutWithinBytes)})
		}
	}
	return chosen
}

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(near) })
	}
}

func (p *Proxy) serve(near net.Conn) {
	defer near.Close()
	if int64(time.Since(p.born)) < p.closed.Load() {
		return
	}
	p.mu.Lock()
	server := p.server
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(p.closing, dialMax)
	defer cancel()
	far, err := new(net.Dialer).DialContext(ctx, "tcp", server)
	if err != nil {
		return
	}
	one := newPair(near, far)
	defer one.end()
	p.keep(one)
	defer p.forget(one)
	if p.closing.Err() != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { one.pump(far, near, &p.delay) })
	both.Go(func() { one.pump(near, far, &p.delay) })
	both.Wait()
}

func (p *Proxy) keep(one *pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pairs[one] = struct{}{}
}

func (p *Proxy) forget(one *pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, one)
}

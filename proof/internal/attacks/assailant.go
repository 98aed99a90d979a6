package attacks

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/testkit/clock"
)

// assailant is the attacker: one goroutine a connection, each of which connects again whenever the server has had enough.
type assailant struct {
	order Order
	does  attack
	dials chan struct{} // as many as may be under way

	// Numbers of a connection and of an account, and what was done.
	numbers                      atomic.Uint64
	made, failed, thrown, sentTo atomic.Uint64
}

// Run attacks until the context ends, and then prints the tally.
func Run(ctx context.Context, order Order, stdout io.Writer) error {
	if err := standBack(); err != nil {
		return err
	}
	does, _ := find(order.Attack)
	n, err := affordable(order.Connections)
	if err != nil {
		return err
	}
	a := &assailant{order: order, does: does, dials: make(chan struct{}, dialsAtOnce)}
	var crew sync.WaitGroup
	for i := range n {
		crew.Go(func() { a.serve(ctx, i) })
	}
	crew.Wait()
	text, err := json.Marshal(Tally{
		Connections: n, Made: a.made.Load(), Failed: a.failed.Load(), ThrownOut: a.thrown.Load(), BytesSent: a.sentTo.Load(),
	})
	if err != nil {
		return fmt.Errorf("attacks: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "%s%s\n", tallyPrefix, text)
	return err
}

// standBack makes this process, with all its threads, less urgent than those that it attacks.
func standBack() error {
	const raw = 20 // the system call returns 20 - niceness
	urgency, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err == nil {
		err = unix.Setpriority(unix.PRIO_PGRP, 0, min(nicenessMost, raw-urgency+nicenessAdded))
	}
	if err != nil {
		return fmt.Errorf("attacks: niceness: %w", err)
	}
	return nil
}

// affordable is how many of n connections this process has descriptors for. The Go runtime has raised the limit to what is allowed.
func affordable(n int) (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("attacks: RLIMIT_NOFILE: %w", err)
	}
	return max(1, min(n, int(limit.Cur)-descriptorsSpare)), nil
}

// serve keeps one connection going.
func (a *assailant) serve(ctx context.Context, i int) {
	source := sourceAddress(i % a.order.Sources)
	for ctx.Err() == nil {
		socket, err := a.dial(ctx, source)
		if err != nil {
			if ctx.Err() == nil {
				a.failed.Add(1)
			}
			_ = clock.Sleep(ctx, redialAfter) // the loop looks at ctx itself
			continue
		}
		a.made.Add(1)
		close := context.AfterFunc(ctx, func() { _ = socket.Close() })
		a.does.behave(ctx, a, socket)
		close()
		_ = socket.Close()
		if ctx.Err() == nil {
			a.thrown.Add(1)
		}
	}
}

// sourceAddress is 127.0.0.2 and up; the bystanders come from 127.0.0.1.
func sourceAddress(i int) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + i)}), 0))
}

func (a *assailant) dial(ctx context.Context, source net.Addr) (*net.TCPConn, error) {
	a.dials <- struct{}{}
	defer func() { <-a.dials }()
	socket, err := (&net.Dialer{LocalAddr: source, Timeout: dialMax, KeepAlive: -1}).DialContext(ctx, "tcp4", a.order.Server)
	if err != nil {
		return nil, err
	}
	return socket.(*net.TCPConn), nil
}

// send writes and counts.
func (a *assailant) send(socket *net.TCPConn, b []byte) error {
	n, err := socket.Write(b)
	a.sentTo.Add(uint64(max(n, 0)))
	return err
}

// untilEnded reads whatever comes until the server ends the connection.
func untilEnded(socket *net.TCPConn) { _, _ = io.Copy(io.Discard, socket) }

// drained has untilEnded run in the background, and closes the channel after it.
func drained(socket *net.TCPConn) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		untilEnded(socket)
	}()
	return ended
}

// farewell is untilEnded for one that must have been thrown out.
func farewell(socket *net.TCPConn) {
	_ = socket.SetReadDeadline(time.Now().Add(farewellMax))
	untilEnded(socket)
}

package libnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// Dialer connects, again and again with backoff until it succeeds, the attempts are used up or the context ends.
// The zero value tries until the context ends. Safe for concurrent use if Backoff.Rand is nil.
type Dialer struct {
	Attempts       int           // 0 means no limit but the context's
	AttemptTimeout time.Duration // of one attempt; 0 means DialAttemptTimeout
	Backoff        Backoff       // waits between attempts; every Dial starts from a copy
	Socket         SocketOptions // of TCP connections
}

// DialError tells why a Dial gave up.
type DialError struct {
	Network  string
	Addr     string
	Attempts int           // that were made
	Elapsed  time.Duration // over all of them
	Last     error         // of the last attempt; nil if the context had ended before the first
	Ended    error         // the context's error if that is what ended it, else nil
}

func (e *DialError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "libnet: dial %s %s: gave up after %d attempts in %v", e.Network, e.Addr, e.Attempts, e.Elapsed.Round(time.Millisecond))
	if e.Ended != nil {
		fmt.Fprintf(&b, " (%v)", e.Ended)
	}
	if e.Last != nil {
		fmt.Fprintf(&b, "; last: %v", e.Last)
	}
	return b.String()
}

// Unwrap gives the causes to errors.Is and errors.As.
func (e *DialError) Unwrap() []error {
	causes := make([]error, 0, 2)
	for _, err := range []error{e.Last, e.Ended} {
		if err != nil {
			causes = append(causes, err)
		}
	}
	return causes
}

// Dial connects to addr; network is "tcp", "tcp4", "tcp6" or "unix". TCP connections have TCP_NODELAY and
// d.Socket's options, set before the handshake. An address that can never work is not tried twice. Every error is a
// *DialError.
func (d Dialer) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	start := time.Now()
	dialer := d.attempt()
	giveUp := &DialError{Network: network, Addr: addr}
	for giveUp.Ended = ctx.Err(); giveUp.Ended == nil; giveUp.Ended = d.Backoff.Wait(ctx) {
		conn, err := dialer.DialContext(ctx, network, addr)
		if err == nil {
			return conn, nil
		}
		giveUp.Attempts++
		giveUp.Last = err
		if giveUp.Attempts == d.Attempts || hopeless(err) {
			break
		}
	}
	giveUp.Elapsed = time.Since(start)
	return nil, giveUp
}

func (d Dialer) attempt() net.Dialer {
	return net.Dialer{
		Timeout:   orDefault(d.AttemptTimeout, DialAttemptTimeout),
		KeepAlive: -1, // d.Socket's instead of Go's
		Control: func(network, _ string, c syscall.RawConn) error {
			if !strings.HasPrefix(network, "tcp") {
				return nil
			}
			return controlRaw(c, d.Socket.Apply)
		},
	}
}

// hopeless tells errors of the address itself from errors of the world, which may pass.
func hopeless(err error) bool {
	var (
		badAddr    *net.AddrError
		badNetwork net.UnknownNetworkError
		badPort    *net.ParseError
		noName     *net.DNSError
	)
	return errors.As(err, &badAddr) || errors.As(err, &badNetwork) || errors.As(err, &badPort) ||
		(errors.As(err, &noName) && noName.IsNotFound)
}

// Package echoserver is the least that a server on gnet can do, as a measure for what a request costs beyond that: for
// each request of a fixed length it returns an answer of a fixed length that begins with the request's bytes. It looks at
// nothing, and answers all requests of one read with one write, as tradechatd does.
package echoserver

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"tradechat.internal/libnet"
)

// Config says what to serve.
type Config struct {
	RequestLen  int // bytes
	ResponseLen int // bytes, at least RequestLen
	Loops       int // event loops, a thread and a listening socket each
}

// Run serves on a free loopback port, prints "ready HOST:PORT" once it accepts, and returns after SIGTERM.
func Run(c Config, stdout io.Writer) error {
	if c.RequestLen < 1 || c.ResponseLen < c.RequestLen || c.Loops < 1 {
		return fmt.Errorf("echoserver: cannot answer %d bytes with %d on %d loops", c.RequestLen, c.ResponseLen, c.Loops)
	}
	// One processor a loop, and one for everything else, as for a worker of tradechatd.
	runtime.GOMAXPROCS(c.Loops + 1)
	address, err := reserve()
	if err != nil {
		return fmt.Errorf("echoserver: %w", err)
	}
	return gnet.Run(&echo{config: c, address: address, stdout: stdout}, "tcp4://"+address,
		gnet.WithNumEventLoop(c.Loops), gnet.WithReusePort(true), gnet.WithTCPNoDelay(gnet.TCPNoDelay), gnet.WithLogger(quiet{}))
}

// reserve binds a free port without listening on it, for as long as this process lives: gnet can be told a port, but not
// asked which one it was given. Its sockets share the port (SO_REUSEPORT).
func reserve() (address string, err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", os.NewSyscallError("socket", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return "", os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", os.NewSyscallError("bind", err)
	}
	bound, err := libnet.AddrOf(fd)
	return bound.String(), err
}

type echo struct {
	gnet.BuiltinEventEngine
	config  Config
	address string
	stdout  io.Writer
}

func (e *echo) OnBoot(engine gnet.Engine) gnet.Action {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM)
	go func() {
		<-ctx.Done()
		stop()
		_ = engine.Stop(context.Background()) // Run then returns, with the error if there is one
	}()
	fmt.Fprintf(e.stdout, "ready %s\n", e.address)
	return gnet.None
}

func (e *echo) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	c.SetContext(new([]byte))
	return nil, gnet.None
}

func (e *echo) OnTraffic(c gnet.Conn) gnet.Action {
	input, err := c.Peek(-1)
	if err != nil {
		return gnet.Close
	}
	out := c.Context().(*[]byte)
	*out = (*out)[:0]
	whole := len(input) - len(input)%e.config.RequestLen
	for at := 0; at < whole; at += e.config.RequestLen {
		*out = append(*out, input[at:at+e.config.RequestLen]...)
		*out = append(*out, make([]byte, e.config.ResponseLen-e.config.RequestLen)...)
	}
	if whole == 0 { // Discard(0) means all
		return gnet.None
	}
	if _, err := c.Discard(whole); err != nil {
		return gnet.Close
	}
	if _, err := c.Write(*out); err != nil {
		return gnet.Close
	}
	return gnet.None
}

// quiet keeps gnet's messages off standard output; what stops it, it says on standard error.
type quiet struct{}

func (quiet) Debugf(string, ...any)             {}
func (quiet) Infof(string, ...any)              {}
func (quiet) Warnf(string, ...any)              {}
func (quiet) Errorf(format string, args ...any) { log.Printf(format, args...) }
func (quiet) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }

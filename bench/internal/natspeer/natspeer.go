// Package natspeer runs a NATS server, and a service that answers behind it, as tradechat-bench's hidden sub-commands: as
// processes of their own, so that what they use is told from what the client uses. The server is nats-server itself, as a library.
package natspeer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"golang.org/x/sys/unix"
)

// The hidden sub-commands that call RunServer and RunService.
const (
	ServerCommand  = "nats-server"
	ServiceCommand = "nats-service"
)

// Version is nats-server's.
const Version = server.VERSION

const (
	// readyMax is how long the server may take until it accepts.
	readyMax = 10 * time.Second

	// pingEvery is longer than any run: the client that is driven here answers no PING.
	pingEvery = time.Hour

	// bufferBytesMax is the longest answer of a service.
	bufferBytesMax = 1 << 20
)

var (
	// ErrNotReady says that the server does not accept.
	ErrNotReady = errors.New("the NATS server is not ready")

	// ErrResponse reports a length of answers outside its limits.
	ErrResponse = errors.New("length of an answer outside its limits")
)

// RunServer serves on a free loopback port, prints "ready HOST:PORT" once it accepts, and returns after SIGTERM.
func RunServer(stdout io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM)
	defer stop()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, PingInterval: pingEvery,
	})
	if err != nil {
		return fmt.Errorf("natspeer: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(readyMax) {
		s.Shutdown()
		return fmt.Errorf("natspeer: %w after %v", ErrNotReady, readyMax)
	}
	fmt.Fprintf(stdout, "ready %s\n", s.Addr())
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}

// Service says what to answer.
type Service struct {
	Server      string // host:port
	Subject     string
	ResponseLen int // bytes
}

// RunService answers every request on the subject with as many bytes, prints "ready SUBJECT" once it is subscribed, and returns
// after SIGTERM. It does nothing else: it is the least that a service can cost.
func RunService(s Service, stdout io.Writer) error {
	if s.ResponseLen < 0 || s.ResponseLen > bufferBytesMax {
		return fmt.Errorf("natspeer: %w: %d, want 0 … %d", ErrResponse, s.ResponseLen, bufferBytesMax)
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM)
	defer stop()
	c, err := nats.Connect("nats://" + s.Server)
	if err != nil {
		return fmt.Errorf("natspeer: %w", err)
	}
	defer c.Close()
	failed, answer := make(chan error, 1), make([]byte, s.ResponseLen)
	_, err = c.Subscribe(s.Subject, func(request *nats.Msg) {
		if err := request.Respond(answer); err != nil {
			select {
			case failed <- err:
			default: // the first one is enough
			}
		}
	})
	if err := errors.Join(err, c.Flush()); err != nil {
		return fmt.Errorf("natspeer: %w", err)
	}
	fmt.Fprintf(stdout, "ready %s\n", s.Subject)
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return fmt.Errorf("natspeer: %w", err)
	}
}

// Package admin is the master's Unix socket: USER_ADD, USER_SET_KEYS and SERVER_STATS in the frames of the NS protocol,
// without LOGIN, and HELLO for those who need the salt that keys are made with. Who may use it is settled by the kernel: the socket has mode 0600, and a peer that is neither
// the server's own user nor root is turned away all the same.
//
//	accept ──▶ one goroutine a connection, at most connectionsMax
//	             read → decode → table → the master's store, one request at a time → answer
//
// Frames that are wrong are answered as the protocol says for a connection before LOGIN: bodies have at most 1,024 bytes.
// Nothing here is fast, and nothing needs to be: the master has no other business.
package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// Backend is what the requests work on.
type Backend struct {
	// WithStore calls f with the master's store, while nobody else uses it.
	WithStore func(f func(*shmstore.Store))

	// Sync has answers wait until what they tell of is on disk.
	Sync bool

	// Hello is what HELLO is answered with. It tells the salt and the iterations of this server's keys.
	Hello libproto.HelloResponse

	// Stats makes the JSON of SERVER_STATS; at most libproto.FieldLenMax bytes.
	Stats func() ([]byte, error)
}

// Server accepts connections until Close.
type Server struct {
	backend  Backend
	log      *liblog.Logger
	listener *net.UnixListener
	ctx      context.Context // done when Close begins
	stop     context.CancelFunc
	places   chan struct{}
	running  sync.WaitGroup
}

// Listen makes the socket and serves it. The caller holds the lock of the folder that path is in, so a socket that is
// there already is an earlier run's and is removed; anything else at that path is an error.
func Listen(path string, backend Backend, log *liblog.Logger) (*Server, error) {
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	config := net.ListenConfig{Control: ownerOnly}
	listener, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	s := &Server{backend: backend, log: log, listener: listener.(*net.UnixListener), places: make(chan struct{}, connectionsMax)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.running.Go(s.accept)
	return s, nil
}

// ownerOnly gives the socket its mode before bind(2) makes a file of it, so that it never has another.
func ownerOnly(_, _ string, c syscall.RawConn) error {
	var inner error
	err := c.Control(func(fd uintptr) { inner = unix.Fchmod(int(fd), 0o600) })
	return errors.Join(err, inner)
}

func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s is there and is no socket; move it away", path)
	}
	return os.Remove(path)
}

// Close stops accepting, removes the socket, ends all connections and returns when the last request is done.
func (s *Server) Close() {
	s.stop()
	_ = s.listener.Close()
	s.running.Wait()
}

// accept takes a place before it takes a connection: who finds no place waits in the socket's queue.
func (s *Server) accept() {
	for {
		select {
		case s.places <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
		conn, err := s.listener.AcceptUnix()
		if err != nil {
			<-s.places
			if !s.survives(err) {
				return
			}
			continue
		}
		s.running.Go(func() {
			defer func() { <-s.places }()
			s.serve(conn)
		})
	}
}

// survives waits out an accept that failed for want of resources.
func (s *Server) survives(err error) bool {
	if s.ctx.Err() != nil {
		return false
	}
	s.log.Warn().Err(err).Msg("admin: accept failed")
	pause := libnet.Backoff{}
	return pause.Wait(s.ctx) == nil
}

// serve runs one connection; its context ends with the server's.
func (s *Server) serve(socket *net.UnixConn) {
	defer socket.Close()
	unhook := context.AfterFunc(s.ctx, func() { _ = socket.Close() })
	defer unhook()
	peer, err := libnet.PeerCredentials(socket)
	if err != nil {
		s.log.Warn().Err(err).Msg("admin: peer unknown")
		return
	}
	c := newConn(s, socket, peer)
	if !c.allowed {
		s.log.Warn().Uint32("uid", peer.UID).Int32("peer_pid", peer.PID).Msg("admin: turned away")
	}
	c.run()
}

package worker

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
)

// gate accepts connections and enrols them into the loop. It has a goroutine of its own.
type gate struct {
	listener *net.TCPListener
	enrol    func(*net.TCPConn, *conn) error
	log      *liblog.Logger
	refused  atomic.Uint64 // connections turned away here, for the loop to book
	open     atomic.Int64  // connections that are open or being opened; the loop counts them down
	openMax  int64
	spare    int    // a descriptor to give up when there are no others; -1: given up
	farewell []byte // what a connection that is turned away is told
	once     sync.Once
	stop     chan struct{}
	stopped  chan struct{} // run has returned
}

// newGate makes the gate of an inherited listening socket.
func newGate(listenerFD int, openMax int, log *liblog.Logger) (*gate, error) {
	listener, err := libnet.ListenerFromFD(listenerFD)
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	tcp, is := listener.(*net.TCPListener)
	if !is {
		_ = listener.Close()
		return nil, fmt.Errorf("worker: descriptor %d listens on %s, not on TCP", listenerFD, listener.Addr().Network())
	}
	g := &gate{
		listener: tcp, log: log, openMax: int64(openMax), spare: -1,
		farewell: appendPush(nil, libproto.OpGoingAway, libproto.GoingAway{
			Reason: libproto.GoingAwayShutdown, ReconnectAfterMs: reconnectAfterMs, Detail: []byte("the server is full"),
		}),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	g.restoreSpare()
	return g, nil
}

// enrolInto has the connections enrolled into a gnet client's loop.
func (g *gate) enrolInto(client *gnet.Client) {
	g.enrol = func(socket *net.TCPConn, c *conn) error {
		_, err := client.EnrollContext(socket, c)
		return err
	}
}

// run accepts until close.
func (g *gate) run() {
	defer close(g.stopped)
	for {
		socket, err := g.listener.AcceptTCP()
		switch {
		case err == nil:
			g.admit(socket)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			g.failed(err)
		}
	}
}

// close stops accepting, once. Connections that wait in the socket's queue stay there: the socket is the master's as
// well.
func (g *gate) close() {
	g.once.Do(func() {
		close(g.stop)
		_ = g.listener.Close()
	})
}

// admit hands a connection to the loop, or turns it away if there are too many.
func (g *gate) admit(socket *net.TCPConn) {
	if g.open.Add(1) > g.openMax {
		g.open.Add(-1)
		g.log.Limited(liblog.LevelWarn, "connections-full").Int64("open_max", g.openMax).Msg("connection turned away")
		g.turnAway(socket)
		return
	}
	c := &conn{addr: remoteAddr(socket)}
	err := libnet.SocketOptions{KeepAlive: libnet.KeepAliveDefault}.ApplyConn(socket)
	if err == nil {
		err = g.enrol(socket, c)
	}
	// The loop has run OnOpen by now, unless the descriptor could not be registered.
	if err != nil || c.number == 0 {
		_ = socket.Close()
		g.open.Add(-1)
		g.refused.Add(1)
		g.log.Limited(liblog.LevelWarn, "enrol-failed").Err(err).Msg("connection dropped")
	}
}

func remoteAddr(socket *net.TCPConn) netip.Addr {
	if tcp, ok := socket.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// turnAway tells a connection that there is no room for it, without waiting for anything, and closes it.
func (g *gate) turnAway(socket *net.TCPConn) {
	g.refused.Add(1)
	if raw, err := socket.SyscallConn(); err == nil {
		_ = raw.Write(func(fd uintptr) bool {
			_, _ = unix.Write(int(fd), g.farewell)
			return true
		})
	}
	_ = socket.Close()
}

// failed deals with an accept that failed. Most failures concern one connection that is gone already.
func (g *gate) failed(err error) {
	g.log.Limited(liblog.LevelWarn, "accept-failed").Err(err).Int64("open", g.open.Load()).Msg("cannot accept")
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		g.refuseQueued()
		g.pause()
	case errors.Is(err, syscall.ECONNABORTED):
	default:
		g.pause()
	}
}

// pause keeps a failure that lasts from turning the goroutine into a busy loop.
func (g *gate) pause() {
	select {
	case <-g.stop:
	case <-time.After(acceptBackoff):
	}
}

// refuseQueued gives the spare descriptor up to take connections off the queue and close them: their clients learn at
// once that there is no room, instead of waiting in a queue that nobody serves.
func (g *gate) refuseQueued() {
	if g.spare >= 0 {
		_ = unix.Close(g.spare)
		g.spare = -1
	}
	if raw, err := g.listener.SyscallConn(); err == nil {
		_ = raw.Control(func(listening uintptr) {
			for n := 0; n < refusalsMax && g.refuseNext(int(listening)); n++ {
			}
		})
	}
	g.restoreSpare()
}

// refuseNext is accept4 itself, not AcceptTCP: that would wait if the queue is empty by now.
func (g *gate) refuseNext(listening int) bool {
	fd, _, err := unix.Accept4(listening, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err != nil {
		return false
	}
	g.refused.Add(1)
	_, _ = unix.Write(fd, g.farewell)
	_ = unix.Close(fd)
	return true
}

func (g *gate) restoreSpare() {
	if fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
		g.spare = fd
	}
}

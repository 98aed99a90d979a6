package worker

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/panjf2000/gnet/v2"

	"tradechat.internal/liblog"
	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// source is the context of a descriptor on the loop that is no connection.
type source uint8

const (
	sourceTimer source = 1 + iota
	sourceWake
)

func (s source) String() string {
	if s == sourceTimer {
		return "the timer"
	}
	return "the slot's eventfd"
}

// exitPanic is the exit status after a panic: the master repairs the slot and starts a successor.
const exitPanic = 3

// OnOpen, OnTraffic and OnClose are gnet's calls, all from the loop.

func (w *Worker) OnOpen(sock gnet.Conn) ([]byte, gnet.Action) {
	defer w.crash()
	w.loop = sock.EventLoop()
	c, ok := sock.Context().(*conn)
	if !ok {
		w.arrived(sock)
		return nil, gnet.None
	}
	w.begin()
	w.welcome(c, sock)
	w.end()
	return nil, gnet.None
}

func (w *Worker) OnTraffic(sock gnet.Conn) gnet.Action {
	defer w.crash()
	w.begin()
	switch on := sock.Context().(type) {
	case *conn:
		w.read(on, sock)
	case source:
		_, _ = sock.Discard(-1)
		if on == sourceTimer {
			w.onTick()
		} else {
			w.onWake()
		}
	}
	w.end()
	if w.drain.done {
		return gnet.Shutdown
	}
	return gnet.None
}

func (w *Worker) OnClose(sock gnet.Conn, cause error) gnet.Action {
	defer w.crash()
	c, ok := sock.Context().(*conn)
	if !ok {
		w.lost(sock.Context(), cause)
		return gnet.None
	}
	w.begin()
	w.beginFarewell(c, sock.Fd(), cause)
	w.forgetPause(c, sock.Fd())
	c.sock = nil
	w.dead = append(w.dead, c)
	w.end()
	return gnet.None
}

// begin starts a turn, unless one is running.
func (w *Worker) begin() {
	w.depth++
	if w.depth == 1 {
		w.readClock()
		w.clock.turnNs = w.clock.monoNs
	}
}

// end finishes the outermost turn: only now things are taken out of tables.
func (w *Worker) end() {
	if w.depth == 1 {
		w.settle()
		for len(w.resuming) > 0 {
			w.resume()
			w.settle()
		}
		w.reap()
	}
	w.depth--
}

// settle wakes the log writer if something was committed, and sends what is durable.
func (w *Worker) settle() {
	if w.committed {
		w.committed = false
		w.store.NudgeLogWriter()
	}
	w.releaseDurable()
}

// arrived is called when the timer or the eventfd is on the loop: the timer shows which epoll set that is.
func (w *Worker) arrived(sock gnet.Conn) {
	if sock.Context() != sourceTimer {
		return
	}
	var err error
	if w.poller, err = findPoller(sock.Fd()); err != nil {
		w.finish(err)
	}
}

// lost is called when the timer or the eventfd leaves the loop: at the end of a drain or when the master is gone,
// otherwise because the loop failed.
func (w *Worker) lost(what any, cause error) {
	if w.drain.done {
		return
	}
	w.finish(fmt.Errorf("%v left the loop: %w", what, errors.Join(ErrLoop, cause)))
}

// crash ends the process when a handler panics: what it left half done in the segment is the master's to repair.
func (w *Worker) crash() {
	if p := recover(); p != nil {
		liblog.Request(w.log.Error(), w.answeringNumber(), w.req.frame.ReqID, w.req.frame.Op, libproto.StatusInternal).
			Interface("panic", p).Bytes("stack", debug.Stack()).Msg("a handler panicked; the worker ends")
		w.log.Close()
		os.Exit(exitPanic)
	}
}

// answeringNumber names the connection whose request runs; 0 if none does.
func (w *Worker) answeringNumber() uint64 {
	if w.req.c == nil {
		return 0
	}
	return w.req.c.number
}

// onWake runs when another worker, or Drain, has written the eventfd.
func (w *Worker) onWake() {
	if w.drainAsked.Load() {
		w.startDrain()
		w.advanceDrain()
	}
	w.onWritable()
	w.deliverAll()
}

// onTick runs every tickInterval; the heart has been beaten by begin.
func (w *Worker) onTick() {
	w.sweep()
	w.sweepPaused()
	w.linger()
	w.advanceDrain()
	if w.clock.tick%logSweepEvery == 0 {
		w.log.Sweep()
	}
}

// welcome takes a connection into the tables.
func (w *Worker) welcome(c *conn, sock gnet.Conn) {
	w.opened++
	c.sock, c.number, c.state = sock, w.opened, stateConnected
	w.table.add(c, w.clock.tick)
	w.metrics.Add(shmstore.CounterConnections, 1)
	c.logTo(w.log.Debug()).Msg("connection opened")
	c.counted = w.store.ConnectionOpened(c.addr, w.heritage.Config.PerAddressMax)
	switch {
	case c.counted == 0:
		w.log.Limited(liblog.LevelWarn, "address-full").Stringer("address", c.addr).Msg("connection turned away")
		w.turnAway(c, "too many connections from this address")
	case w.drain.begun():
		w.turnAway(c, "the server is stopping")
	}
}

// reap ends the sessions of connections that are leaving or dead, and takes the dead out of the tables.
func (w *Worker) reap() {
	for _, c := range w.retiring {
		w.endSession(c, (*shmstore.Store).DetachSession)
		w.shutSent(c)
	}
	for _, c := range w.dead {
		w.endSession(c, (*shmstore.Store).DetachSession)
		w.table.remove(c)
		w.store.ConnectionClosed(c.counted)
		w.metrics.Add(shmstore.CounterConnectionsClosed, 1)
		c.logTo(w.log.Debug()).Msg("connection closed")
		if !c.outlived {
			w.gate.open.Add(-1)
		}
	}
	if w.drain.begun() && len(w.dead) > 0 && len(w.table.rows) == 0 {
		w.Drain() // for the last step, which takes a turn
	}
	w.retiring, w.dead = emptied(w.retiring), emptied(w.dead)
}

// emptied returns list with its length 0 and its elements forgotten, so that they can be collected.
func emptied(list []*conn) []*conn {
	clear(list)
	return list[:0]
}

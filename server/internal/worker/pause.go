package worker

import (
	"golang.org/x/sys/unix"

	"tradechat.internal/libproto"
	"tradechat.internal/shmstore"
)

// A connection whose output waits is not read from: neither are requests answered that have been read already, nor is more taken from
// its socket. The client's own socket then fills up, and it waits, as TCP has it. A client that reads is never cut off for asking much.
//
//	          output is left over, or too many answers are parked
//	reading ───────────────────────────────────────────────────────▶ paused
//	   ▲                                                                │ takes nothing for stallMax: GOING_AWAY 3
//	   └────── the socket has taken all, and the answers are out ───────┘
//
// gnet reads whatever comes, and asks epoll for writability as long as it has something left over. So the pause is made in its own
// epoll set: the connection has no events there. That the socket takes something again is heard of by the writable watch; the worker
// has gnet write then, and when all is written it answers what was read before the pause, in the same turn. gnet may not write by
// itself: it would read again before that, and close the connection of a client that has said all, with its last requests.

// pause is what is known of a connection that waits.
type pause struct {
	c        *conn
	since    tick // since when the socket has taken nothing, or the answers wait
	outbound int  // bytes that waited at the last look
	added    int  // bytes that were written since
}

const (
	readEvents  = unix.EPOLLIN | unix.EPOLLPRI
	writeEvents = unix.EPOLLOUT
)

// stalled pauses a connection whose socket did not take all of the last n bytes.
func (w *Worker) stalled(c *conn, n int) {
	left := c.sock.OutboundBuffered()
	if !c.paused {
		w.pause(c).outbound = left
	} else {
		w.paused[c.sock.Fd()].added += n
	}
	if left <= n { // gnet had nothing to write before: it has just asked for all events
		w.setEvents(c)
		w.writable.await(c.sock.Fd())
	}
}

// hush pauses a connection for which too much is parked.
func (w *Worker) hush(c *conn) {
	if c.sock != nil && !c.paused && c.state != stateLeaving {
		w.pause(c)
		w.setEvents(c)
	}
}

func (w *Worker) pause(c *conn) *pause {
	p := &pause{c: c, since: w.clock.tick}
	c.paused = true
	w.paused[c.sock.Fd()] = p
	return p
}

// mayRead reports whether nothing waits for the client any more that it would have to take first.
func (w *Worker) mayRead(c *conn) bool {
	return c.sock.OutboundBuffered() == 0 && c.parked <= w.parkedMax
}

// resumes ends a pause if its reason is gone.
func (w *Worker) resumes(c *conn) bool {
	if !w.mayRead(c) {
		w.setEvents(c)
		return false
	}
	w.unpause(c)
	return true
}

// unpause has a connection read from again.
func (w *Worker) unpause(c *conn) {
	if !c.paused {
		return
	}
	c.paused = false
	delete(w.paused, c.sock.Fd())
	w.table.seen[c.row] = w.clock.tick
	w.setEvents(c)
}

// forgetPause is called when gnet closes a connection.
func (w *Worker) forgetPause(c *conn, socket int) {
	if c.paused {
		c.paused = false
		delete(w.paused, socket)
		w.writable.forget(socket)
	}
}

// setEvents tells epoll what a connection waits for.
func (w *Worker) setEvents(c *conn) {
	events := uint32(readEvents)
	switch {
	case c.paused:
		events = 0
	case c.sock.OutboundBuffered() > 0:
		events |= writeEvents
	}
	w.poller.set(c.sock.Fd(), events)
}

// unhush has a paused connection looked at again at the end of the turn.
func (w *Worker) unhush(c *conn) {
	if c.paused {
		w.resuming = append(w.resuming, c)
	}
}

// onWritable writes to the paused connections whose sockets take something again.
func (w *Worker) onWritable() {
	for _, fd := range w.writable.take() {
		p := w.paused[fd]
		if p == nil {
			continue
		}
		c := p.c
		_ = c.sock.Flush() // an error has closed it
		switch {
		case c.sock == nil:
		case c.sock.OutboundBuffered() > 0:
			w.writable.await(fd)
		default:
			w.resuming = append(w.resuming, c)
		}
	}
}

// resume answers what was read before a connection was paused, of those whose reason to wait is gone.
func (w *Worker) resume() {
	list := w.resuming
	w.resuming = w.spareResuming[:0]
	for _, c := range list {
		if c.sock != nil && c.paused && w.resumes(c) && c.sock.InboundBuffered() >= int(c.need) {
			w.answer(c, c.sock)
		}
	}
	w.spareResuming = emptied(list)
}

// sweepPaused cuts off those who take nothing.
func (w *Worker) sweepPaused() {
	for _, p := range w.paused {
		c := p.c
		out := c.sock.OutboundBuffered()
		if out == 0 || p.outbound+p.added > out {
			p.since = w.clock.tick
		}
		p.outbound, p.added = out, 0
		switch {
		case out == 0:
			w.unhush(c)
		case w.clock.tick-p.since > w.stallMax:
			w.metrics.Add(shmstore.CounterSlowConsumers, 1)
			w.dismiss(c, libproto.GoingAwaySlowConsumer, "what was sent is not being read")
		}
	}
}

package client

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"tradechat.internal/libproto"
)

// write sends what is queued until the link ends: all frames that came together go out in one write. It returns how
// many bytes the operating system took, the ones of a failing write included.
func (l *link) write() (sent uint64, err error) {
	var batch []byte
	for {
		select {
		case <-l.wake:
		case <-l.stop:
			return sent, nil
		}
		batch = l.swap(batch)
		if len(batch) == 0 { // the last swap took what this wake was for
			continue
		}
		n, err := l.conn.Write(batch)
		sent += uint64(n)
		if err != nil {
			return sent, fmt.Errorf("write: %w", err)
		}
	}
}

// swap takes the queued frames and leaves written's memory for the next ones.
func (l *link) swap(written []byte) []byte {
	if cap(written) > outKeepBytes {
		written = nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := l.out
	l.out = written[:0]
	return batch
}

// read takes frames off the connection until it ends.
func (l *link) read() error {
	buf := make([]byte, readBufferBytes)
	have := 0 // buf[:have] has arrived and is not consumed
	for {
		n, err := l.conn.Read(buf[have:])
		have += n
		used, fault := l.consume(buf[:have])
		if fault != nil {
			return fault
		}
		if err != nil {
			return readError(err)
		}
		have = copy(buf, buf[used:have])
		if have == len(buf) { // one frame fills it: the decoder bounds how far this goes
			buf = slices.Grow(buf, len(buf))[:2*len(buf)]
		}
	}
}

func readError(err error) error {
	if err == io.EOF {
		return errors.New("the server closed it")
	}
	return fmt.Errorf("read: %w", err)
}

// consume delivers every whole frame of buf and returns how many bytes they were.
func (l *link) consume(buf []byte) (used int, err error) {
	for {
		d := libproto.Decoder{BodyLenMax: l.receiveMax.Load()}
		f, n, err := d.Next(buf[used:])
		if err != nil { // not ErrProtocol: a bit that flipped on the way is no reason to stay away
			return used, fmt.Errorf("damaged frame: %w", err)
		}
		if n == 0 {
			return used, nil
		}
		used += n
		if err := l.deliver(f); err != nil {
			return used, err
		}
	}
}

func (l *link) deliver(f libproto.Frame) error {
	if f.Flags&libproto.FlagResponse == 0 {
		return l.push(f)
	}
	c, err := l.take(f)
	if err != nil {
		return err
	}
	if c.hook != nil {
		err = c.hook(f)
	}
	if retries(f.Op) {
		l.served.Store(true)
	}
	l.end(c, answer{from: l, status: f.Status, body: slices.Clone(f.Body)})
	return err
}

// take finds the call that f answers and removes it.
func (l *link) take(f libproto.Frame) (*call, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.pending[f.ReqID]
	if !ok || c.op != f.Op {
		return nil, fmt.Errorf("%w: a response to %v with req_id %d, which is not under way", ErrProtocol, f.Op, f.ReqID)
	}
	delete(l.pending, f.ReqID)
	return c, nil
}

func (l *link) push(f libproto.Frame) error {
	if f.ReqID != 0 || f.Status != libproto.StatusOK {
		return fmt.Errorf("%w: push %v with req_id %d and status %v", ErrProtocol, f.Op, f.ReqID, f.Status)
	}
	p, err := decodePush(f)
	if err != nil || p == nil {
		return err
	}
	if g, ok := p.(*GoingAway); ok {
		l.noteGoodbye(g)
	}
	l.onPush(p)
	return nil
}

// noteGoodbye keeps what the server says of the end of the connection, which it is about to bring about.
func (l *link) noteGoodbye(g *GoingAway) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.goodbye = &GoingAwayError{Reason: g.Reason, ReconnectAfter: g.ReconnectAfter, Detail: g.Detail}
}

// beat sends a heartbeat each interval, and ends the link when one is not answered within patience. It returns when the
// link has ended.
func (l *link) beat(interval, patience time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-l.done:
			return
		}
		select {
		case <-l.heartbeat():
		case <-l.done:
			return
		case <-time.After(patience):
			l.fail(fmt.Errorf("no answer to a heartbeat for %v", patience))
		}
	}
}

// heartbeat queues a HEARTBEAT beside the places of the calls: it must go out even when all of them are taken. What
// comes from the channel is a sign of life, whatever it says.
func (l *link) heartbeat() <-chan answer {
	c := &call{op: libproto.OpHeartbeat, answer: make(chan answer, 1)}
	// An error means that the link ends, which beat sees too.
	_ = l.enqueue(c, libproto.HeartbeatRequest{ClientTimeNs: uint64(time.Now().UnixNano())})
	return c.answer
}

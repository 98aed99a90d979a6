package client

import "sync"

// inbox takes pushes from the reader without ever waiting and hands them to the consumer in order.
//
//	put ──▶ queue (at most max) ──▶ pump ──▶ out
//	  └─ full ─▶ overflow: per room the range of messages dropped, counts of the rest
//
// Once something was dropped, everything is, until the consumer has taken all that was queued; then the overflow is told
// and the queue is open again. So what the overflow tells stands exactly where its messages would have.
type inbox struct {
	out  chan Push
	max  int
	wake chan struct{} // holds one while there may be something to pump

	mu       sync.Mutex
	queue    []Push
	overflow overflow
	closing  bool // nothing is put any more; out is closed when all has been taken
}

// overflow is what was dropped.
type overflow struct {
	gaps    map[uint32]*Gap
	dropped Dropped
}

func newInbox(max int) *inbox {
	return &inbox{out: make(chan Push), max: max, wake: make(chan struct{}, 1)}
}

func (b *inbox) put(p Push) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closing:
		return
	case len(b.queue) >= b.max || !b.overflow.empty():
		b.overflow.note(p)
	default:
		b.queue = append(b.queue, p)
	}
	b.signal()
}

// close ends out once the consumer has taken what there is.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closing = true
	b.signal()
}

func (b *inbox) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// pump runs until close and the last push, or until abandon is closed.
func (b *inbox) pump(abandon <-chan struct{}) {
	defer close(b.out)
	for {
		p, last := b.take()
		switch {
		case p != nil:
			select {
			case b.out <- p:
			case <-abandon:
				return
			}
		case last:
			return
		default:
			select {
			case <-b.wake:
			case <-abandon:
				return
			}
		}
	}
}

// take removes the first push, nil when there is none, and reports whether the inbox is closing.
func (b *inbox) take() (p Push, last bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		b.queue = b.overflow.take()
	}
	if len(b.queue) == 0 {
		return nil, b.closing
	}
	p, b.queue[0] = b.queue[0], nil
	b.queue = b.queue[1:]
	return p, false
}

func (o *overflow) empty() bool { return len(o.gaps) == 0 && o.dropped == Dropped{} }

func (o *overflow) note(p Push) {
	switch p := p.(type) {
	case *ChatMessage:
		o.skip(p.RoomID, p.Seq, p.Seq)
	case *Gap:
		o.skip(p.RoomID, p.FirstSeq, p.LastSeq)
	case *DirectMessage:
		o.dropped.DirectMessages++
	default:
		o.dropped.Other++
	}
}

// skip widens the room's gap to hold first … last.
func (o *overflow) skip(room uint32, first, last uint64) {
	if g := o.gaps[room]; g != nil {
		g.FirstSeq, g.LastSeq = min(g.FirstSeq, first), max(g.LastSeq, last)
		return
	}
	if len(o.gaps) >= gapRoomsMax {
		o.dropped.Other++
		return
	}
	if o.gaps == nil {
		o.gaps = make(map[uint32]*Gap)
	}
	o.gaps[room] = &Gap{RoomID: room, FirstSeq: first, LastSeq: last, Cause: GapOverflow}
}

// take empties the overflow into pushes that tell it.
func (o *overflow) take() (told []Push) {
	for _, g := range o.gaps {
		told = append(told, g)
	}
	if o.dropped != (Dropped{}) {
		told = append(told, &Dropped{DirectMessages: o.dropped.DirectMessages, Other: o.dropped.Other})
	}
	*o = overflow{}
	return told
}

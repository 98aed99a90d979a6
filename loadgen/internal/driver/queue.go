package driver

// dueQueue holds when the requests were due that wait for a connection, in their order. It grows when a connection falls behind, up
// to connWaitingMax, and allocates at no other time.
type dueQueue struct {
	ring        []int64 // its length is a power of two
	head, count int
}

func (q *dueQueue) empty() bool { return q.count == 0 }

func (q *dueQueue) first() (due int64, ok bool) {
	if q.count == 0 {
		return 0, false
	}
	return q.ring[q.head], true
}

// push fails when the queue is full.
func (q *dueQueue) push(due int64) bool {
	if q.count == connWaitingMax {
		return false
	}
	if q.count == len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.count)&(len(q.ring)-1)] = due
	q.count++
	return true
}

func (q *dueQueue) pop() {
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.count--
}

func (q *dueQueue) grow() {
	ring := make([]int64, max(connWaitingMin, 2*len(q.ring)))
	for i := range q.count {
		ring[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
	}
	q.ring, q.head = ring, 0
}

// restQueue holds the places of pipelines that think, by when they are done: in order, since all think equally long.
type restQueue struct {
	rests []rest
	head  int
}

type rest struct {
	at   int64
	conn *Conn
}

func (q *restQueue) due() (ns int64, ok bool) {
	if q.head == len(q.rests) {
		return 0, false
	}
	return q.rests[q.head].at, true
}

func (q *restQueue) push(r rest) {
	if q.head > 0 && len(q.rests) == cap(q.rests) { // room for it is at the front
		q.rests = q.rests[:copy(q.rests, q.rests[q.head:])]
		q.head = 0
	}
	q.rests = append(q.rests, r)
}

func (q *restQueue) pop() *Conn {
	q.head++
	return q.rests[q.head-1].conn
}

func (q *restQueue) clear() { q.rests, q.head = q.rests[:0], 0 }

// think lets the place of a request that is over think before it is used again.
func (c *Conn) think() {
	if t := c.thread; t.plan.Think > 0 && t.phase == Load {
		c.resting++
		t.resting.push(rest{at: t.now + int64(t.plan.Think), conn: c})
	}
}

// wakeRested lets the places go on whose time has come.
func (t *Thread) wakeRested() {
	for at, ok := t.resting.due(); ok && at <= t.now; at, ok = t.resting.due() {
		c := t.resting.pop()
		c.resting--
		c.refill()
		c.flush()
	}
}

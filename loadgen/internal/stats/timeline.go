package stats

import "time"

// Interval is what one thread counted in one interval.
type Interval struct {
	Row
	thread    int
	number    int
	last      bool // nothing comes from this thread after it
	latency   Latency
	sinceSent Latency
}

func newInterval() *Interval {
	return &Interval{latency: NewLatency(intervalDigits), sinceSent: NewLatency(intervalDigits)}
}

func (i *Interval) reset() {
	i.latency.Reset()
	i.sinceSent.Reset()
	*i = Interval{latency: i.latency, sinceSent: i.sinceSent}
}

func (i *Interval) merge(other *Interval) {
	i.OK += other.OK
	i.Failed += other.Failed
	i.Deliveries += other.Deliveries
	i.Reconnects += other.Reconnects
	i.LateSends += other.LateSends
	i.Skipped += other.Skipped
	addAll(i.Errors[:], other.Errors[:])
	i.latency.Merge(&other.latency)
	i.sinceSent.Merge(&other.sinceSent)
}

// Row is one interval of all threads.
type Row struct {
	Number     int           // 0, 1, 2 … since the timeline began
	Begin      time.Duration // since then
	Length     time.Duration
	OK, Failed uint64
	Errors     [ErrorKindCount]uint64
	Deliveries uint64
	Reconnects uint64
	LateSends  uint64
	Skipped    uint64
	Latency    Quantiles
	SinceSent  Quantiles // open loop
}

// PerSecond is how many of a number there were a second.
func (r *Row) PerSecond(n uint64) float64 { return float64(n) / r.Length.Seconds() }

// Timeline puts the threads' intervals together.
type Timeline struct {
	filled chan *Interval
	spares []chan *Interval // by thread

	length  int64 // of an interval, nanoseconds
	open    bool  // the loop is open
	threads []*Thread
	ended   int
	reached []int             // by thread: the last interval that it handed over
	pending map[int]*Interval // intervals that not all threads have handed over
	next    int               // the first interval without a row
}

// NewTimeline makes the timeline and the counters of so many threads. In an open loop latencies since the sending are kept, too.
func NewTimeline(threads int, interval time.Duration, open bool) *Timeline {
	t := &Timeline{
		filled:  make(chan *Interval, threads*(sparesPerThread+1)),
		spares:  make([]chan *Interval, threads),
		reached: make([]int, threads),
		pending: make(map[int]*Interval),
		length:  int64(interval),
		open:    open,
	}
	for i := range threads {
		t.reached[i] = -1
		t.spares[i] = make(chan *Interval, sparesPerThread)
		for range sparesPerThread {
			t.spares[i] <- newInterval()
		}
		t.threads = append(t.threads, &Thread{Totals: newTotals(), index: i, timeline: t, interval: newInterval()})
	}
	return t
}

// Thread is the counters of one thread.
func (t *Timeline) Thread(i int) *Thread { return t.threads[i] }

// Run calls show for each interval that is over in all threads, in order, until all of them have ended.
func (t *Timeline) Run(show func(Row)) {
	for t.ended < len(t.threads) {
		i := <-t.filled
		t.take(i)
		for t.next <= t.common() {
			show(t.row())
		}
	}
}

func (t *Timeline) take(i *Interval) {
	number := max(i.number, t.next)
	if t.pending[number] == nil {
		t.pending[number] = newInterval()
	}
	t.pending[number].merge(i)
	t.reached[i.thread] = i.number
	if i.last {
		t.ended++
		t.reached[i.thread] = int(^uint(0) >> 1)
		return
	}
	home := t.spares[i.thread]
	i.reset()
	home <- i
}

// common is the last interval that needs no thread any more; after the end, the last one that there is.
func (t *Timeline) common() int {
	if t.ended == len(t.threads) {
		last := t.next - 1
		for number := range t.pending {
			last = max(last, number)
		}
		return last
	}
	common := t.reached[0]
	for _, reached := range t.reached {
		common = min(common, reached)
	}
	return common
}

func (t *Timeline) row() Row {
	all := t.pending[t.next]
	delete(t.pending, t.next)
	row := Row{}
	if all != nil {
		row = all.Row
		row.Latency, row.SinceSent = all.latency.Quantiles(), all.sinceSent.Quantiles()
	}
	row.Number, row.Length = t.next, time.Duration(t.length)
	row.Begin = time.Duration(t.next) * row.Length
	t.next++
	return row
}

// Totals puts the threads' totals together; all of them have ended.
func (t *Timeline) Totals() Totals {
	all := newTotals()
	for _, thread := range t.threads {
		all.merge(&thread.Totals)
	}
	return all
}

// CPU is what each thread used; all of them have ended.
func (t *Timeline) CPU() []CPU {
	used := make([]CPU, len(t.threads))
	for i, thread := range t.threads {
		used[i] = thread.CPU
	}
	return used
}

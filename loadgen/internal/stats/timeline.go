package stats

// Interval is what one thread counted in one second.
type Interval struct {
	Row
	thread  int
	second  int
	last    bool // nothing comes from this thread after it
	latency Latency
}

func newInterval() *Interval { return &Interval{latency: NewLatency(intervalDigits)} }

func (i *Interval) reset() {
	i.latency.Reset()
	*i = Interval{latency: i.latency}
}

func (i *Interval) merge(other *Interval) {
	i.OK += other.OK
	i.Failed += other.Failed
	i.Deliveries += other.Deliveries
	i.Reconnects += other.Reconnects
	addAll(i.Errors[:], other.Errors[:])
	i.latency.Merge(&other.latency)
}

// Row is one second of all threads.
type Row struct {
	Second     int // 0, 1, 2 … since the load began
	OK, Failed uint64
	Errors     [ErrorKindCount]uint64
	Deliveries uint64
	Reconnects uint64
	Latency    Quantiles
}

// Timeline puts the threads' intervals together.
type Timeline struct {
	filled chan *Interval
	spares []chan *Interval // by thread

	threads []*Thread
	ended   int
	reached []int             // by thread: the last second that it handed over
	open    map[int]*Interval // seconds that not all threads have handed over
	next    int               // the first second without a row
}

// NewTimeline makes the timeline and the counters of so many threads.
func NewTimeline(threads int) *Timeline {
	t := &Timeline{
		filled:  make(chan *Interval, threads*(sparesPerThread+1)),
		spares:  make([]chan *Interval, threads),
		reached: make([]int, threads),
		open:    make(map[int]*Interval),
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

// Run calls show for each second that is over in all threads, in order, until all of them have ended.
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
	second := max(i.second, t.next)
	if t.open[second] == nil {
		t.open[second] = newInterval()
	}
	t.open[second].merge(i)
	t.reached[i.thread] = i.second
	if i.last {
		t.ended++
		t.reached[i.thread] = int(^uint(0) >> 1)
		return
	}
	home := t.spares[i.thread]
	i.reset()
	home <- i
}

// common is the last second that needs no thread any more; after the end, the last one that there is.
func (t *Timeline) common() int {
	if t.ended == len(t.threads) {
		last := t.next - 1
		for second := range t.open {
			last = max(last, second)
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
	all := t.open[t.next]
	delete(t.open, t.next)
	row := Row{}
	if all != nil {
		row = all.Row
		row.Latency = all.latency.Quantiles()
	}
	row.Second = t.next
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

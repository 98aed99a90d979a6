package driver

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tradechat.internal/loadgen/internal/arrival"
	"tradechat.internal/loadgen/internal/mix"
)

// The queue agrees with a plain list, and is full when it says so.
func TestDueQueueAgreesWithList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q dueQueue
		var list []int64
		for step := range rapid.Int64Range(1, 500).Draw(t, "steps") {
			if rapid.IntRange(0, 9).Draw(t, "action") < 6 {
				list = append(list, step)
				if !q.push(step) {
					t.Fatal("full")
				}
			} else if len(list) > 0 {
				q.pop()
				list = list[1:]
			}
			due, ok := q.first()
			if ok != (len(list) > 0) || q.empty() == ok || ok && due != list[0] {
				t.Fatalf("first = %d, %v; want the first of %v", due, ok, list)
			}
		}
	})
}

func TestDueQueueIsBounded(t *testing.T) {
	var q dueQueue
	for i := range connWaitingMax {
		if !q.push(int64(i)) {
			t.Fatalf("full after %d", i)
		}
	}
	if q.push(1) {
		t.Error("not full")
	}
}

func TestRestQueueKeepsTheOrder(t *testing.T) {
	var q restQueue
	var got []int64
	next := int64(0)
	for round := range 50 {
		for range round % 7 {
			q.push(rest{at: next})
			next++
		}
		for range round % 5 {
			if at, ok := q.due(); ok {
				got = append(got, at)
				q.pop()
			}
		}
	}
	if !slices.IsSorted(got) || len(got) < 50 || cap(q.rests) > 4*int(next-int64(len(got))) {
		t.Errorf("%v, room for %d", got, cap(q.rests))
	}
}

// What waits is late when it is sent and skipped when it waits for longer than an answer may take; both count once.
func TestWaitingIsLateOrSkipped(t *testing.T) {
	e := newEcho(t, mix.Trade, 2)
	c := e.conn
	thread := c.thread
	thread.plan.Timeout = time.Hour
	thread.pace.open = true
	thread.pace.schedule = arrival.New(arrival.Constant, arrival.Part{Stride: 1, Connections: 1}, 1000, 1, 0, int64(5*time.Millisecond))
	thread.now = int64(3 * time.Millisecond)
	for due, ok := thread.pace.due(); ok && due <= thread.now; due, ok = thread.pace.due() {
		thread.pace.schedule.Next()
		c.arrive(due)
	}
	if c.calls.load != 2 || thread.pace.waiting != 2 || thread.stats.LateSends != 2 {
		t.Fatalf("%d sent, %d wait, %d late; want 2 of each: due at 0, 1, 2 and 3 ms", c.calls.load, thread.pace.waiting, thread.stats.LateSends)
	}
	thread.now = int64(2*time.Millisecond + time.Hour + 1)
	c.skipOverdue()
	if thread.stats.Skipped != 1 || thread.pace.waiting != 1 {
		t.Errorf("%d skipped, %d wait", thread.stats.Skipped, thread.pace.waiting)
	}
	e.answerAll()
	if s := thread.stats; s.Skipped != 1 || s.OK() != 2 || c.calls.load != 1 || thread.pace.waiting != 0 {
		t.Errorf("%d skipped, %d answered, %d in flight, %d wait", s.Skipped, s.OK(), c.calls.load, thread.pace.waiting)
	}
}

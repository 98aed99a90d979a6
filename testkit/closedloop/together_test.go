package closedloop_test

import (
	"testing"
	"time"

	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/hubtest"
)

func TestRunTogetherCountsEveryDelivery(t *testing.T) {
	const listeners = 4
	for _, depth := range []int{1, 16} {
		peers, exchanges := hubtest.Open(t, listeners)
		l, err := closedloop.New(peers, depth)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		var counted uint64
		for range 2 {
			r, err := l.RunTogether(t.Context(), 20*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			if r.Requests == 0 || r.Requests%(listeners*uint64(depth)) != 0 || r.Elapsed < 20*time.Millisecond {
				t.Errorf("depth %d: %+v", depth, r)
			}
			counted += r.Requests
		}
		for i, e := range exchanges {
			if uint64(e.Heard)*listeners != counted {
				t.Errorf("depth %d: connection %d heard %d of %d deliveries to %d", depth, i, e.Heard, counted, listeners)
			}
		}
	}
}

package openloop

import (
	"errors"
	"testing"
	"time"

	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/hubtest"
)

func TestRunSendsAtItsRate(t *testing.T) {
	peers, exchanges := hubtest.Open(t, 1)
	l, err := New(peers)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Run(t.Context(), 1000, 50*time.Millisecond)
	if err = errors.Join(err, r.Failure); err != nil || len(r.Latencies) != 50 || l.Sent() != 50 || exchanges[0].Heard != 50 {
		t.Errorf("%d latencies, %d sent, %d heard, %v; want 50", len(r.Latencies), l.Sent(), exchanges[0].Heard, err)
	}
	for _, latency := range r.Latencies {
		if latency <= 0 {
			t.Errorf("answered %v after it was due", latency)
		}
	}
}

func TestRunTogetherTimesEveryDelivery(t *testing.T) {
	peers, exchanges := hubtest.Open(t, 3)
	l, err := New(peers)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.RunTogether(t.Context(), 1000, 20*time.Millisecond)
	if err = errors.Join(err, r.Failure); err != nil || len(r.Latencies) != 60 || l.Sent() != 20 {
		t.Errorf("%d latencies, %d sent, %v; want 60 of 20", len(r.Latencies), l.Sent(), err)
	}
	for i, e := range exchanges {
		if e.Heard != 20 {
			t.Errorf("connection %d heard %d", i, e.Heard)
		}
	}
}

func TestMoreAnswersThanRequestsAreFound(t *testing.T) {
	peers, exchanges := hubtest.Open(t, 1)
	peers[0].Exchange = doubling{exchanges[0]}
	l, err := New(peers)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Run(t.Context(), 100, 10*time.Millisecond)
	if err != nil || r.Failed != 1 || !errors.Is(r.Failure, ErrUnasked) {
		t.Errorf("%d failures of 1: %v; %v", r.Failed, r.Failure, err)
	}
}

// doubling takes every line for two answers.
type doubling struct{ *hubtest.Exchange }

func (d doubling) Answers(in []byte) (used, answers int, err error) {
	used, answers, err = d.Exchange.Answers(in)
	return used, 2 * answers, err
}

// TestWrongAnswersEndTheirConnection: what would have been sent on it fails.
func TestWrongAnswersEndTheirConnection(t *testing.T) {
	peers, _ := hubtest.Open(t, 1)
	peers[0].Exchange = refusing{}
	l, err := New(peers)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Run(t.Context(), 1000, 50*time.Millisecond)
	if err != nil || r.Failed != 50 || !errors.Is(r.Failure, closedloop.ErrAnswer) {
		t.Errorf("%d failures of 50: %v; %v", r.Failed, r.Failure, err)
	}
}

// refusing finds every answer wrong.
type refusing struct{}

func (refusing) AppendRequest(dst []byte) []byte { return append(dst, "hear\n"...) }
func (refusing) Answers([]byte) (int, int, error) {
	return 0, 0, closedloop.ErrAnswer
}

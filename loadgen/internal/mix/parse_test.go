package mix

import (
	"errors"
	"math"
	"testing"
)

func TestParseShares(t *testing.T) {
	for text, want := range map[string][OpCount]float64{
		"transfer=60,balance=20,chat=20":    {ChatSend: 0.2, Transfer: 0.6, Balance: 0.2},
		"balance=1":                         {Balance: 1},
		" heartbeat = 3 , withdraw=1 ":      {Heartbeat: 0.75, Withdraw: 0.25},
		"deposit=1000000,transfer=0,chat=0": {Deposit: 1},
	} {
		m, err := Parse(text, TradeRatioDefault, false)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		wantShares(t, text, m, want)
	}
}

func wantShares(t *testing.T, name string, m *Mix, want [OpCount]float64) {
	t.Helper()
	for op := range Op(OpCount) {
		if got := m.Share(op); math.Abs(got-want[op]) > 1e-9 {
			t.Errorf("%q: share of %v is %v, want %v", name, op, got, want[op])
		}
	}
}

func TestParseBatches(t *testing.T) {
	for text, want := range map[string][OpCount]float64{
		Trade:                   {Withdraw: 0.1, Deposit: 0.1, Balance: 0.2, TransferBatch: 0.6},
		"transfer=1,balance=1":  {Balance: 0.5, TransferBatch: 0.5},
		"transfer=1,batch=3":    {Transfer: 0.25, TransferBatch: 0.75},
		"batch=1,heartbeat=1":   {Heartbeat: 0.5, TransferBatch: 0.5},
		"transfer=0,batch=1000": {TransferBatch: 1},
	} {
		m, err := Parse(text, TradeRatioDefault, true)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		wantShares(t, text, m, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct {
		text    string
		batched bool
		want    error
	}{
		{"", false, ErrUnknown},
		{"transfer", false, ErrUnknown},
		{"transfer=", false, ErrUnknown},
		{"transfer=x", false, ErrUnknown},
		{"transfer=-1", false, ErrUnknown},
		{"transfer=1.5", false, ErrUnknown},
		{"transfer=1000001", false, ErrUnknown},
		{"transfer=1,", false, ErrUnknown},
		{"=1", false, ErrUnknown},
		{"login=1", false, ErrUnknown},
		{"transfer=1,transfer=2", false, ErrUnknown},
		{"transfer=0", false, ErrEmpty},
		{"batch=1", false, ErrBatch},
		{"balance=1", true, ErrBatch},
		{Chat, true, ErrBatch},
	} {
		if _, err := Parse(test.text, TradeRatioDefault, test.batched); !errors.Is(err, test.want) {
			t.Errorf("Parse(%q, batched %v) = %v, want %v", test.text, test.batched, err, test.want)
		}
	}
}

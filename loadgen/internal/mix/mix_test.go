package mix

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestNamedShares(t *testing.T) {
	half := TradeRatio{1, 1, 0, 2}
	for _, test := range []struct {
		name  string
		ratio TradeRatio
		want  [OpCount]float64
	}{
		{Chat, TradeRatioDefault, [OpCount]float64{0.8, 0.2}},
		{Trade, TradeRatioDefault, [OpCount]float64{0, 0, 0.6, 0.1, 0.1, 0.2}},
		{Trade, half, [OpCount]float64{0, 0, 0.25, 0.25, 0, 0.5}},
		{Mixed, TradeRatioDefault, [OpCount]float64{0.4, 0.1, 0.3, 0.05, 0.05, 0.1}},
		{Mixed, TradeRatio{RatioMax, RatioMax, RatioMax, RatioMax}, [OpCount]float64{0.4, 0.1, 0.125, 0.125, 0.125, 0.125}},
	} {
		m, err := Parse(test.name, test.ratio, false)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		for op := range Op(OpCount) {
			if got := m.Share(op); math.Abs(got-test.want[op]) > 1e-9 {
				t.Errorf("%s %v: share of %v is %v, want %v", test.name, test.ratio, op, got, test.want[op])
			}
			if m.Has(op) != (test.want[op] > 0) {
				t.Errorf("%s %v: Has(%v) = %v", test.name, test.ratio, op, m.Has(op))
			}
		}
	}
}

func TestNamedUnknown(t *testing.T) {
	if _, err := Parse("chatter", TradeRatioDefault, false); !errors.Is(err, ErrUnknown) {
		t.Errorf("Parse(chatter) = %v, want ErrUnknown", err)
	}
	if _, err := Parse(Trade, TradeRatio{}, false); !errors.Is(err, ErrEmpty) {
		t.Errorf("Parse(trade, zeros) = %v, want ErrEmpty", err)
	}
}

// What is drawn follows the shares: over n draws the count of a kind is within five standard deviations.
func TestPickFollowsShares(t *testing.T) {
	const draws = 200_000
	m, err := Parse(Mixed, TradeRatioDefault, false)
	if err != nil {
		t.Fatal(err)
	}
	source := rand.New(rand.NewPCG(1, 2))
	var counts [OpCount]float64
	for range draws {
		counts[m.Pick(source.Uint32())]++
	}
	for op := range Op(OpCount) {
		share := m.Share(op)
		if slack := 5 * math.Sqrt(draws*share*(1-share)); math.Abs(counts[op]-draws*share) > slack {
			t.Errorf("%v: drawn %v of %v times, want %v ± %v", op, counts[op], draws, draws*share, slack)
		}
	}
}

// No draw, the extremes included, ever yields a kind without a share.
func TestPickNeverYieldsAbsentKind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var shares Shares
		for op := range shares {
			shares[op] = rapid.SampledFrom([]uint64{0, 0, 1, 7, RatioMax}).Draw(t, "share")
		}
		m, err := New(shares)
		if shares.sum() == 0 {
			if !errors.Is(err, ErrEmpty) {
				t.Fatalf("New(zeros) = %v", err)
			}
			return
		}
		for _, drawn := range []uint32{0, rapid.Uint32().Draw(t, "drawn"), math.MaxUint32} {
			if op := m.Pick(drawn); shares[op] == 0 {
				t.Fatalf("Pick(%d) = %v, which has no share in %v", drawn, op, shares)
			}
		}
	})
}

func TestTradeRatioText(t *testing.T) {
	var r TradeRatio
	if err := r.Set(" 1, 2,3,0"); err != nil || r != (TradeRatio{1, 2, 3, 0}) || r.String() != "1,2,3,0" {
		t.Errorf("Set(1,2,3,0) = %v, %v", r, err)
	}
	for _, bad := range []string{"", "1,2,3", "1,2,3,4,5", "0,0,0,0", "1,2,3,-4", "1,2,3,x", "1,2,3,1000001"} {
		if err := r.Set(bad); err == nil {
			t.Errorf("Set(%q) is accepted as %v", bad, r)
		}
		if r != (TradeRatio{1, 2, 3, 0}) {
			t.Fatalf("Set(%q) changed the value to %v", bad, r)
		}
	}
}

func TestMovesMoney(t *testing.T) {
	for op := range Op(OpCount) {
		want := op == Transfer || op == Withdraw || op == Deposit || op == TransferBatch
		if op.MovesMoney() != want {
			t.Errorf("%v.MovesMoney() = %v", op, !want)
		}
	}
}

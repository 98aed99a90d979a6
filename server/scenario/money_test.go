package scenario

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
)

// tradeAmountMax is the largest single transfer of a trade, in minor units: large enough that accounts run dry.
const tradeAmountMax = 400

// lane is one session that pays one user again and again.
type lane struct {
	*session
	to    uint32
	count int
	seed  uint64

	applied, refused int
}

// cmdTrade has sessions pay users, all at once: many small transfers, of random amounts from a fixed seed. Each is applied
// or refused for want of money; one that meets a busy account is made again.
func cmdTrade(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	count := in.number("transfers each")
	var lanes []*lane
	for _, word := range in.rest {
		from, to, found := strings.Cut(word, ">")
		busy := slices.ContainsFunc(lanes, func(l *lane) bool { return l.name == from })
		if u, known := w.users[to]; found && known && !busy {
			lanes = append(lanes, &lane{session: w.session(ts, from), to: u.id, count: count, seed: uint64(len(lanes))})
			continue
		}
		ts.Fatalf("%q is not SESSION>USER, both logged in before and the session in no other pair", word)
	}
	ts.Check(together(lanes, (*lane).run))
	applied, refused := 0, 0
	for _, l := range lanes {
		applied, refused = applied+l.applied, refused+l.refused
	}
	fmt.Fprintf(ts.Stdout(), "applied %d, refused %d\n", applied, refused)
}

// run keeps tradeWindow transfers under way until count of them have had their answer.
func (l *lane) run() error {
	amounts := rand.New(rand.NewPCG(l.seed, 0))
	over := time.Now().Add(workMax)
	for underWay := 0; l.applied+l.refused < l.count; underWay-- {
		if time.Now().After(over) {
			return fmt.Errorf("%s: %w: %d of %d transfers have an answer", l.name, errPatience, l.applied+l.refused, l.count)
		}
		for ; underWay < tradeWindow && l.applied+l.refused+underWay < l.count; underWay++ {
			request := libproto.TransferRequest{ToUserID: l.to, Amount: 1 + amounts.Uint64N(tradeAmountMax)}
			if err := l.write(l.request(libproto.OpTransfer, request)); err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
		}
		f, err := l.response()
		if err == nil {
			err = l.book(f)
		}
		if err != nil {
			return fmt.Errorf("%s, after %d of %d: %w", l.name, l.applied+l.refused, l.count, err)
		}
	}
	return nil
}

func (l *lane) book(f libproto.Frame) error {
	var r libproto.TxnResponse
	err := decode(f, &r)
	switch {
	case refusedWith(err, libproto.StatusServerBusy):
		return nil // nothing was done: the loop makes another one
	case refusedWith(err, libproto.StatusInsufficientFunds):
		l.refused++
		return nil
	case err != nil:
		return err
	case r.Balance < 0:
		return fmt.Errorf("transaction %d left a balance of %d", r.TxnID, r.Balance)
	}
	l.applied++
	return nil
}

// cmdBalances checks that the balances of sessions' users are none of them negative, and what they add up to.
func cmdBalances(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	want, sum := in.number("sum"), 0
	for len(in.rest) > 0 {
		var r libproto.BalanceResponse
		s := w.session(ts, in.next("session"))
		ts.Check(s.get(libproto.OpBalance, libproto.Empty{}, &r))
		if r.Balance < 0 {
			ts.Fatalf("%s has %d", s.name, r.Balance)
		}
		sum += int(r.Balance)
	}
	if sum != want {
		ts.Fatalf("the balances add up to %d, not to %d", sum, want)
	}
}

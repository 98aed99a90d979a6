package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"tradechat.internal/proof/internal/bankcheck"
	"tradechat.internal/testkit/server"
)

// bank is the load of money.
type bank struct {
	tellers []*teller
	began   time.Time // of the clock of the histories

	mu      sync.Mutex
	windows []bankcheck.Window

	counts bankCounts
	faults problems // of clients: what no fault explains
}

// bankCounts are read while the load runs.
type bankCounts struct {
	applied, refused, noEffect, unknown, resolvedApplied, resolvedNot, unresolved atomic.Int64
}

// openBank logs the clients in.
func openBank(ctx context.Context, address string, users []server.User, random *rand.Rand) (*bank, error) {
	b := &bank{began: time.Now()}
	for i, u := range users {
		c, err := logIn(ctx, clientConfig(address), u)
		if err != nil {
			b.close()
			return nil, err
		}
		first := i - i%groupAccounts
		b.tellers = append(b.tellers, &teller{
			bank: b, client: c, name: u.Name, number: i, account: i % groupAccounts, peers: users[first : first+groupAccounts],
			random: rand.New(rand.NewPCG(random.Uint64(), uint64(i))),
		})
	}
	return b, nil
}

func (b *bank) close() {
	for _, t := range b.tellers {
		_ = t.client.Close()
	}
}

func (b *bank) now() int64 { return int64(time.Since(b.began)) }

// work moves money until stop is closed, and then finishes what it has begun.
func (b *bank) work(ctx context.Context, stop <-chan struct{}) {
	var groups sync.WaitGroup
	for first := 0; first < len(b.tellers); first += groupAccounts {
		groups.Go(func() { b.group(ctx, b.tellers[first:first+groupAccounts], stop) })
	}
	groups.Wait()
}

// group makes one window after the other.
func (b *bank) group(ctx context.Context, tellers []*teller, stop <-chan struct{}) {
	w := bankcheck.Window{Group: tellers[0].number / groupAccounts}
	for i := range tellers {
		w.Start[i] = openingMinor
	}
	for last := false; !last && ctx.Err() == nil; {
		together(tellers, func(t *teller) { t.window(ctx, stop) })
		select {
		case <-stop:
			last = true
		default:
		}
		together(tellers, func(t *teller) { t.resolve(ctx) })
		together(tellers, func(t *teller) { t.read(ctx) })
		w = b.closeWindow(w, tellers)
	}
}

// together runs f for all at the same time.
func together(tellers []*teller, f func(*teller)) {
	var all sync.WaitGroup
	for _, t := range tellers {
		all.Go(func() { f(t) })
	}
	all.Wait()
}

// closeWindow takes the operations of a group, none of which is under way. If all balances could be read, a window ends here,
// and the next one begins; else it goes on.
func (b *bank) closeWindow(w bankcheck.Window, tellers []*teller) bankcheck.Window {
	known := true
	next := bankcheck.Window{Group: w.Group}
	for i, t := range tellers {
		w.Ops = append(w.Ops, t.ops...)
		t.ops = nil
		next.Start[i], known = t.balance, known && t.hasRead
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !known {
		b.faults.note("group %d: the balances could not be read for %v", w.Group, resolveMax)
		return w
	}
	b.windows = append(b.windows, w)
	return next
}

// finalMoves has each account move money once more, when no fault is left: a lock that stayed behind would be in the way. It
// returns how many did.
func (b *bank) finalMoves(ctx context.Context) (moved int, err error) {
	var failures []error
	for _, t := range b.tellers {
		err := insist(ctx, t.client, func(ctx context.Context) error {
			_, err := t.client.Deposit(ctx, 1)
			if err == nil {
				_, err = t.client.Withdraw(ctx, 1)
			}
			return err
		})
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", t.name, err))
			continue
		}
		moved++
	}
	return moved, errors.Join(failures...)
}

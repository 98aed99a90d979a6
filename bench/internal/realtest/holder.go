package realtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tradechat.internal/libproto"
	"tradechat.internal/libproto/serverstats"
	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/server"
	"tradechat.internal/testkit/session"
)

// A worker loses its processor, or is stopped, at any instruction: now and then while it holds an account. holder makes
// that happen on purpose. One session, the feeder, keeps one worker busy with batches to an account that the load
// does not know; in the middle of them the worker is
// stopped (SIGSTOP). If it then holds an account's lock (or, with one lock for all, that one) and not the log's, which is one
// for all in both modes, it stays stopped until holdLength is over; else it is continued and stopped again.
//
//	every holdEvery:   feeder: batch batch batch … ─┐
//	                   stop ── holds an account? ───┼─ yes: stay stopped, 100 ms in all ── continue
//	                          no: continue, again ◀─┘
type holder struct {
	admin  server.Admin
	feeder *session.Conn
	victim serverstats.Worker
	legs   []libproto.TransferLeg
	cancel context.CancelFunc
	done   chan struct{}
	holds  int
	err    error
}

var errNoFeeder = errors.New("the feeder's worker cannot be told")

// holdAccounts begins at once; the caller calls end. Nobody else may be connected yet: the worker of the feeder is the one that
// has a connection.
func holdAccounts(ctx context.Context, s *server.Server) (h *holder, err error) {
	h = &holder{done: make(chan struct{})}
	if h.admin, err = s.DialAdmin(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = h.close()
		}
	}()
	users, err := s.AddUsers(ctx, 2, feederMinor)
	if err != nil {
		return nil, err
	}
	if h.feeder, err = session.Open(ctx, s.Address, users[0].Name, users[0].Keys); err != nil {
		return nil, err
	}
	stats, err := h.admin.Stats(ctx)
	if err != nil {
		return nil, err
	}
	if h.victim, err = stats.Busiest(); err == nil && (h.victim.Connections != 1 || stats.Connections != 1) {
		err = fmt.Errorf("realtest: %w: %+v", errNoFeeder, stats.Workers)
	}
	if err != nil {
		return nil, err
	}
	h.legs = slices.Repeat([]libproto.TransferLeg{{ToUserID: users[1].ID, Amount: 1}}, libproto.BatchLegsMax)
	ctx, h.cancel = context.WithCancel(ctx)
	go h.run(ctx)
	return h, nil
}

func (h *holder) run(ctx context.Context) {
	defer close(h.done)
	next := time.NewTicker(holdEvery)
	defer next.Stop()
	for {
		select {
		case <-next.C:
		case <-ctx.Done():
			return
		}
		if err := h.hold(ctx); err != nil {
			if ctx.Err() == nil {
				h.err = err
			}
			return
		}
		h.holds++
	}
}

// hold stops the victim once for holdLength, at a moment at which it holds an account. The feeder works meanwhile.
func (h *holder) hold(ctx context.Context) (err error) {
	var over atomic.Bool
	var feeding sync.WaitGroup
	var fed error
	feeding.Go(func() {
		for !over.Load() && fed == nil {
			fed = h.feeder.Ask(libproto.OpTransferBatch, libproto.TransferBatchRequest{Legs: h.legs}, new(libproto.TransferBatchResponse))
		}
	})
	defer func() {
		over.Store(true)
		feeding.Wait()
		err = errors.Join(err, fed)
	}()
	for range holdTries {
		// The server audits itself for the statistics once a second at most, for which it needs the locks: not while one is held.
		if _, err := h.admin.Stats(ctx); err != nil {
			return err
		}
		caught, err := h.try(ctx)
		if caught || err != nil {
			return err
		}
	}
	return fmt.Errorf("realtest: worker %d held no account at %d stops", h.victim.Slot, holdTries)
}

// try stops the victim, and keeps it so if it holds an account. In any case it runs again at the end.
func (h *holder) try(ctx context.Context) (caught bool, err error) {
	began := time.Now()
	if err := proc.Freeze(h.victim.PID); err != nil {
		return false, fmt.Errorf("realtest: worker %d: %w", h.victim.Slot, err)
	}
	defer func() { err = errors.Join(err, proc.Thaw(h.victim.PID)) }()
	stats, err := h.admin.Stats(ctx)
	if err != nil || !holdsAccount(stats.Workers[h.victim.Slot].LocksHeld) {
		return false, err
	}
	rest := time.NewTimer(holdLength - time.Since(began))
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-ctx.Done():
	}
	return true, ctx.Err()
}

func holdsAccount(locks []string) (holds bool) {
	for _, name := range locks {
		if name == "log" {
			return false
		}
		holds = holds || name == "all accounts" || strings.HasPrefix(name, "account ")
	}
	return holds
}

// end stops the holder and says how often an account was held.
func (h *holder) end() (holds int, err error) {
	h.cancel()
	<-h.done
	return h.holds, errors.Join(h.err, h.close())
}

func (h *holder) close() (err error) {
	if h.feeder != nil {
		err = h.feeder.Close()
	}
	return errors.Join(err, h.admin.Close())
}

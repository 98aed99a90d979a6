package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradechat.internal/client"
	"tradechat.internal/testkit/clock"
)

// fullDisk makes the disk as small as what it holds and writes until the server is read-only, leaves it so for a while, ends the
// server in one way or another, and starts it on a disk that has room.
func (n *nemesis) fullDisk(ctx context.Context) error {
	if err := n.target.disk.setFree(diskTightBytes); err != nil {
		return err
	}
	if err := n.writeUntilReadOnly(ctx); err != nil {
		return errors.Join(err, n.target.disk.setFree(diskSlackBytes))
	}
	if err := clock.Sleep(ctx, upTo(n.random, stopMost)); err != nil {
		return err
	}
	cold, err := n.endFull(ctx)
	if err != nil {
		return err
	}
	return n.startAgain(ctx, cold)
}

// endFull ends a server that is read-only: it is stopped, or killed, or loses its memory as well.
func (n *nemesis) endFull(ctx context.Context) (cold bool, err error) {
	switch n.random.IntN(4) {
	case 0, 1:
		n.target.noteRestarts(ctx)
		_ = n.target.server.Halt() // exit code 1: not everything is on disk
		return false, nil
	case 2:
		return false, n.endAll(ctx)
	}
	return true, errors.Join(n.endAll(ctx), n.target.loseMemory())
}

// writeUntilReadOnly has two accounts send money to and fro, a thousand records a request.
func (n *nemesis) writeUntilReadOnly(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fillMax)
	defer cancel()
	cfg := clientConfig(n.target.server.Address)
	cfg.TriesMax, cfg.CallTimeout = 1, time.Second // who is told that the disk has failed need not ask again
	c, err := logIn(ctx, cfg, n.flood[0])
	if err != nil {
		return err
	}
	defer c.Close()
	legs := make([]client.Leg, floodLegs)
	for i := range legs {
		legs[i] = client.Leg{ToUserID: n.flood[1].ID, AmountMinor: 1}
	}
	for {
		call, cancelCall := context.WithTimeout(ctx, cfg.CallTimeout)
		_, _, err := c.TransferBatch(call, legs)
		cancelCall()
		stats, statsErr := n.target.server.Stats(ctx)
		switch {
		case statsErr == nil && stats.Journal.ReadOnly:
			return nil
		case err != nil && !hadNoEffect(err) && !errors.Is(err, client.ErrOutcomeUnknown):
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("chaos: the disk is not full after %v of writing: %w", fillMax, errors.Join(err, statsErr, ctx.Err()))
		}
	}
}

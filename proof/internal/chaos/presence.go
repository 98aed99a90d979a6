package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"tradechat.internal/client"
	"tradechat.internal/testkit/clock"
	"tradechat.internal/testkit/server"
)

// clientConfig is that of a client which waits for the server as long as it takes, but for no call as long.
func clientConfig(address string) client.Config {
	c := client.DefaultConfig()
	c.Address, c.Agent = address, "tradechat-proof chaos"
	c.DialTimeout, c.CallTimeout, c.ReconnectFor = dialTimeout, callTimeout, reconnectFor
	c.PushesMax, c.TriesMax, c.BusyWaitMax = pushesMax, triesMax, time.Second
	return c
}

// logIn connects as a user.
func logIn(ctx context.Context, cfg client.Config, u server.User) (*client.Client, error) {
	c, err := client.Dial(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("chaos: %s: %w", u.Name, err)
	}
	if _, err := c.Login(ctx, u.Name, server.Password); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("chaos: %s: %w", u.Name, err)
	}
	return c, nil
}

// hadNoEffect reports whether an error says that the request certainly changed nothing, and why that is no news.
func hadNoEffect(err error) bool {
	if errors.Is(err, client.ErrOutcomeUnknown) {
		return false
	}
	for _, known := range []error{
		client.ErrServerBusy, client.ErrReadOnly, client.ErrConnectionLost, client.ErrTimeout, context.DeadlineExceeded,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// insist calls f until it succeeds, or resolveMax is over, or the context ends, or the client has ended.
func insist(ctx context.Context, c *client.Client, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, resolveMax)
	defer cancel()
	for {
		call, cancelCall := context.WithTimeout(ctx, callTimeout)
		err := f(call)
		cancelCall()
		if err == nil {
			return nil
		}
		if ended := c.Err(); ended != nil {
			return fmt.Errorf("the client has ended: %w", ended)
		}
		if clock.Sleep(ctx, retryEvery) != nil {
			return err
		}
	}
}

// upTo is a random time below d.
func upTo(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}

// between is a random time from a to b.
func between(random *rand.Rand, a, b time.Duration) time.Duration { return a + upTo(random, b-a) }

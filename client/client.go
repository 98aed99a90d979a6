package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
)

// phase is where a Client stands.
type phase uint8

const (
	phaseGreeted      phase = iota // connected, HELLO said; LOGIN, REGISTER and HEARTBEAT work
	phaseReady                     // logged in
	phaseReconnecting              // the connection was lost; calls wait
	phaseEnded                     // nothing works any more; Client.err says why
)

// Client is a user's presence at a server. All its methods may be called from any number of goroutines at once: they
// share one connection, and calls that are made together travel together. Close it when done with it.
type Client struct {
	cfg    Config
	inbox  *inbox
	rooms  memberships
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{} // closed, and replaced, when phase changes
	phase    phase
	link     *link // the connection in use; in phaseReconnecting the one that was lost
	greeting greeting
	session  Session
	creds    credentials
	orphans  []*call // money requests that were sent and have no answer, by req_id
	err      error
}

// Dial connects and says HELLO, once; it does not try again. The server gives a connection ten seconds until Login:
// have the password ready.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Client{
		cfg:     cfg,
		inbox:   newInbox(cfg.PushesMax),
		rooms:   memberships{rooms: make(map[uint32]standing)},
		changed: make(chan struct{}),
	}
	attempt, cancel := context.WithTimeout(ctx, cfg.DialTimeout)
	defer cancel()
	l, g, err := c.connect(attempt, 0)
	if err != nil {
		return nil, err
	}
	c.link, c.greeting = l, g
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.tasks.Go(func() { c.inbox.pump(c.ctx.Done()) })
	c.tasks.Go(func() { c.supervise(l) })
	return c, nil
}

// connect makes a link on which HELLO has been said, its req_ids above lastReqID.
func (c *Client) connect(ctx context.Context, lastReqID uint64) (*link, greeting, error) {
	dialer := libnet.Dialer{
		Attempts:       1,
		AttemptTimeout: c.cfg.DialTimeout,
		Socket:         libnet.SocketOptions{KeepAlive: libnet.KeepAliveDefault},
	}
	conn, err := dialer.Dial(ctx, "tcp", c.cfg.Address)
	if err != nil {
		return nil, greeting{}, fmt.Errorf("client: %w", err)
	}
	o := linkOptions{
		pipelineMax: c.cfg.PipelineMax,
		sendMax:     libproto.BodyLenMaxBeforeLogin,
		receiveMax:  libproto.BodyLenMaxBeforeLogin,
		lastReqID:   lastReqID,
		onPush:      c.receive,
	}
	if c.cfg.ReconnectFor > 0 {
		o.onOrphans = c.takeIn
	}
	l := newLink(conn, o)
	g, err := greet(ctx, l, c.cfg.Agent)
	if err != nil {
		l.shut(err)
		return nil, g, err
	}
	return l, g, nil
}

// receive runs on a reader's goroutine.
func (c *Client) receive(p Push) {
	c.rooms.note(p, c.inbox.put)
}

// Server is what the server said of itself when the present connection was made.
func (c *Client) Server() ServerInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.greeting.info
}

// Session is the present login, a zero Session before Login.
func (c *Client) Session() Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// Err is nil while the Client works or tries to come back, then why it ended.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Pushes is where everything comes that was not asked for, in order; it is closed when the Client has ended, with all
// that came before. One consumer should read it steadily: at most Config.PushesMax wait. What comes when it is full is
// dropped, never waited for: once the consumer has caught up it gets a *Gap for each room concerned, and a *Dropped for
// what nothing brings back. A program that wants no pushes need not read it.
func (c *Client) Pushes() <-chan Push { return c.inbox.out }

// Close ends the connection at once, without LOGOUT: the session stays at the server until it expires. Calls under way
// end with ErrClosed or ErrOutcomeUnknown. It waits until everything has stopped; closing again does nothing.
func (c *Client) Close() error {
	c.cancel()
	c.tasks.Wait()
	return nil
}

// call makes one request, waits while the Client is reconnecting, and repeats what may be repeated.
func (c *Client) call(ctx context.Context, op libproto.Opcode, req libproto.Body, resp libproto.DecodableBody, hook func(libproto.Frame) error) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	var backoff libnet.Backoff
	for try := 1; ; try++ {
		l, err := c.ready(ctx, op)
		if err != nil {
			return err
		}
		err = l.call(ctx, op, req, resp, hook)
		if open, wait, is := undecided(op, err); is {
			return c.decide(ctx, request{op: op, req: req, resp: resp, hook: hook}, open, wait)
		}
		switch busy := c.busyWait(err); {
		case try == c.cfg.TriesMax:
			return err
		case busy >= 0:
			if ended := sleep(ctx, max(busy, min(backoff.Next(), c.cfg.BusyWaitMax))); ended != nil {
				return fmt.Errorf("%w; waiting to try again: %w", err, ended)
			}
		case !errors.Is(err, ErrConnectionLost) || errors.Is(err, ErrOutcomeUnknown):
			return err
		}
	}
}

// decide asks again about a request that the server could not decide, until it can, or the tries are used up.
func (c *Client) decide(ctx context.Context, r request, open *OutcomeError, wait time.Duration) (err error) {
	var backoff libnet.Backoff
	for range c.cfg.TriesMax {
		if sleep(ctx, max(min(wait, c.cfg.BusyWaitMax), min(backoff.Next(), c.cfg.BusyWaitMax))) != nil {
			return open
		}
		err = c.again(ctx, r, open)
		still, after, is := undecided(r.op, err)
		if !is {
			return err
		}
		open, wait = still, after
	}
	return open
}

// busyWait is how long the server asks to wait before err's request is made again; -1 if it should not be made again.
func (c *Client) busyWait(err error) time.Duration {
	var refusal *StatusError
	if errors.As(err, &refusal) && refusal.Status == libproto.StatusServerBusy && refusal.RetryAfter <= c.cfg.BusyWaitMax {
		return refusal.RetryAfter
	}
	return -1
}

// bounded gives a context without a deadline the configured one.
func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.cfg.CallTimeout)
}

// ready waits for a link on which op can be called.
func (c *Client) ready(ctx context.Context, op libproto.Opcode) (*link, error) {
	for {
		l, changed, err := c.usable(op)
		if err != nil {
			return nil, fmt.Errorf("%v: not sent: %w", op, err)
		}
		if l != nil && l.cause() == nil {
			return l, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%v: not sent: %w: %w", op, ErrConnectionLost, ctx.Err())
		}
	}
}

// usable is the link for op in the present phase, nil while there is none, and what announces the next phase. An error
// says that op can never be called.
func (c *Client) usable(op libproto.Opcode) (*link, <-chan struct{}, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entering := op == libproto.OpLogin || op == libproto.OpRegister
	switch {
	case c.phase == phaseEnded:
		return nil, nil, c.err
	case c.phase == phaseGreeted && !entering && op != libproto.OpHeartbeat:
		return nil, nil, ErrNotLoggedIn
	case c.phase != phaseGreeted && entering:
		return nil, nil, ErrLoggedIn
	case c.phase == phaseReconnecting:
		return nil, c.changed, nil
	}
	return c.link, c.changed, nil
}

// move sets the phase and wakes who waits for it; Client.mu is held.
func (c *Client) move(to phase) {
	c.phase = to
	close(c.changed)
	c.changed = make(chan struct{})
}

// sleep waits for d, or until the context ends: then its error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
)

// supervise follows the links of the Client until it ends.
func (c *Client) supervise(l *link) {
	var backoff libnet.Backoff
	for l != nil {
		born := time.Now()
		select {
		case <-l.done:
		case <-c.ctx.Done():
			l.shut(ErrClosed)
		}
		if l.served.Load() || time.Since(born) > libnet.BackoffCap {
			backoff.Reset() // else a server that drops every login at once would be hammered
		}
		l = c.succeed(l, &backoff)
	}
}

// succeed makes the link that comes after one that has ended; nil when the Client has ended with it.
func (c *Client) succeed(last *link, backoff *libnet.Backoff) *link {
	cause := fmt.Errorf("%w: %w", ErrConnectionLost, last.cause())
	switch {
	case c.ctx.Err() != nil:
		c.giveUp(last, ErrClosed)
		c.end(ErrClosed)
		return nil
	case !c.mayReturn(cause):
		c.inbox.put(&Disconnected{Err: cause})
		c.giveUp(last, cause)
		c.end(cause)
		return nil
	}
	c.suspend()
	c.inbox.put(&Disconnected{Err: cause})
	next, err := c.reconnect(last.lastReqID(), cause, backoff)
	if c.ctx.Err() != nil && err != nil {
		err = ErrClosed
	}
	if err != nil {
		c.giveUp(last, err)
		c.end(err)
		return nil
	}
	return next
}

func (c *Client) mayReturn(cause error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == phaseReady && c.cfg.ReconnectFor > 0 && !final(cause)
}

func (c *Client) suspend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.move(phaseReconnecting)
}

func (c *Client) end(err error) {
	c.mu.Lock()
	c.err = err
	c.move(phaseEnded)
	c.mu.Unlock()
	c.inbox.close()
}

// reconnect tries to come back until Config.ReconnectFor is over, not sooner than the server asks for.
func (c *Client) reconnect(lastReqID uint64, cause error, backoff *libnet.Backoff) (*link, error) {
	ctx, cancel := context.WithTimeout(c.ctx, c.cfg.ReconnectFor)
	defer cancel()
	for {
		if err := sleep(ctx, max(askedWait(cause), backoff.Next())); err != nil {
			return nil, fmt.Errorf("gave up reconnecting after %v: %w", c.cfg.ReconnectFor, cause)
		}
		l, err := c.attempt(ctx, lastReqID)
		if err == nil {
			return l, nil
		}
		if final(err) {
			return nil, fmt.Errorf("%w: reconnecting: %w", ErrConnectionLost, err)
		}
		cause = fmt.Errorf("%w: %w", ErrConnectionLost, err)
	}
}

// attempt makes one new connection and comes back on it.
func (c *Client) attempt(ctx context.Context, lastReqID uint64) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	l, g, err := c.connect(ctx, lastReqID)
	if err != nil {
		return nil, err
	}
	if err := c.comeBack(ctx, l, g); err != nil {
		l.shut(err)
		return nil, err
	}
	return l, nil
}

// comeBack logs in on l, joins the rooms again and lets the calls go on.
func (c *Client) comeBack(ctx context.Context, l *link, g greeting) error {
	before, creds := c.returning()
	if g.info.RealmSalt != before.RealmSalt || g.info.KDFIterations != before.KDFIterations {
		return ErrRealmChanged
	}
	s, resumed, err := c.resumeOn(ctx, l, g, creds)
	if err != nil {
		return err
	}
	if err := c.rejoin(ctx, l); err != nil {
		return err
	}
	if err := c.adopt(l, g, s, creds); err != nil {
		return err
	}
	c.inbox.put(&Reconnected{Session: s, Resumed: resumed})
	return nil
}

// resumeOn takes the session over on l and sends again what has no answer yet. If the session is gone it takes a new one and
// finds out what became of that.
func (c *Client) resumeOn(ctx context.Context, l *link, g greeting, creds credentials) (s Session, resumed bool, err error) {
	old := c.Session().ID
	if g.info.Capabilities&libproto.CapResume != 0 {
		s, err = logIn(ctx, l, l, g, creds, old)
		if err == nil {
			return s, true, l.resend(c.takeOut())
		}
		if !errors.Is(err, ErrExpired) {
			return s, false, err
		}
	}
	if s, err = logIn(ctx, l, l, g, creds, 0); err != nil {
		return s, false, err
	}
	if g.info.Capabilities&libproto.CapResume == 0 { // the old session may still act: nothing can be said of it
		c.giveUp(l, ErrConnectionLost)
		return s, false, nil
	}
	return s, false, c.settle(ctx, l, c.takeOut())
}

// returning is what a reconnect needs of the last login.
func (c *Client) returning() (ServerInfo, credentials) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.greeting.info, c.creds
}

// rejoin joins the rooms of the last connection. A room that refuses is given up; a busy server is tried again later.
func (c *Client) rejoin(ctx context.Context, l *link) error {
	for _, room := range c.rooms.ids() {
		var r libproto.JoinRoomResponse
		anew, err := c.begunAnew(ctx, l, room)
		if err == nil {
			err = l.call(ctx, libproto.OpJoinRoom, libproto.JoinRoomRequest{RoomID: room}, &r, c.rooms.rejoin(room, anew, c.inbox.put))
		}
		if err == nil {
			_, err = c.look(ctx, l, room, r.LastSeq)
		}
		var refusal *StatusError
		switch {
		case err == nil:
		case errors.As(err, &refusal) && refusal.Status != libproto.StatusServerBusy:
			c.rooms.forget(room)
			c.inbox.put(&RoomLost{RoomID: room, Err: err})
		default:
			return err
		}
	}
	return nil
}

// begunAnew reports whether a room counts its messages anew since the last connection: the landmark does not stand in it any
// more. A room whose landmark is not retained any more is taken to have gone on, unless it has fewer messages.
func (c *Client) begunAnew(ctx context.Context, l *link, room uint32) (bool, error) {
	known := c.rooms.known(room)
	if known.seq == 0 {
		return false, nil
	}
	there, err := c.look(ctx, l, room, known.seq)
	return there.seq != 0 && there != known, err
}

// look finds the last message of a room up to seq, if one is retained, and keeps it as the landmark if there is no later one.
func (c *Client) look(ctx context.Context, l *link, room uint32, seq uint64) (landmark, error) {
	if seq == 0 {
		return landmark{}, nil
	}
	r, err := ask[libproto.RoomHistoryResponse](ctx, l, libproto.OpRoomHistory, libproto.RoomHistoryRequest{RoomID: room, BeforeSeq: seq + 1, RowsMax: 1})
	var refusal *StatusError
	switch {
	case errors.As(err, &refusal) && refusal.Status != libproto.StatusServerBusy: // JOIN_ROOM will say what is wrong
		return landmark{}, nil
	case err != nil || len(r.Messages) == 0:
		return landmark{}, err
	}
	there := landmark{r.Messages[0].RoomSeq, r.Messages[0].TimeNs}
	c.rooms.see(room, there)
	return there, nil
}

// adopt makes l, on which s is logged in, the connection in use and keeps it alive. The Client may have ended meanwhile:
// then it stays so.
func (c *Client) adopt(l *link, g greeting, s Session, creds credentials) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == phaseEnded {
		return c.err
	}
	c.link, c.greeting, c.session, c.creds = l, g, s, creds
	c.move(phaseReady)
	if interval := g.info.HeartbeatInterval; interval > 0 {
		go l.beat(max(interval, heartbeatIntervalMin), cmp.Or(g.info.IdleTimeout, heartbeatPatienceDefault))
	}
	return nil
}

// final reports whether trying again cannot help, or must not.
func final(err error) bool {
	var goodbye *GoingAwayError
	if errors.As(err, &goodbye) && goodbye.final() {
		return true
	}
	for _, last := range []error{ErrUnauthorized, ErrUnsupported, ErrServerSignature, ErrRealmChanged, ErrProtocol} {
		if errors.Is(err, last) {
			return true
		}
	}
	return false
}

// askedWait is how long the server asks to wait before the next connection; 0 if it does not.
func askedWait(err error) time.Duration {
	var goodbye *GoingAwayError
	var refusal *StatusError
	switch {
	case errors.As(err, &goodbye):
		return goodbye.ReconnectAfter
	case errors.As(err, &refusal):
		return refusal.RetryAfter
	}
	return 0
}

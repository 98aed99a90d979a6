package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/wirestatus"
	"tradechat.internal/shmstore"
)

// errBody marks a body that does not parse.
var errBody = errors.New("admin: bad body")

// errNotDurable: it is done, but not on disk, and perhaps never will be.
var errNotDurable = errors.New("it is done, but not on disk")

// request is one row of the table: an opcode and what it does. Adding one is a row and a function.
type request struct {
	op  libproto.Opcode
	run func(c *conn, body []byte) (libproto.Body, error)
}

var requests = []request{
	{libproto.OpHello, (*conn).hello},
	{libproto.OpUserAdd, (*conn).userAdd},
	{libproto.OpUserSetKeys, (*conn).userSetKeys},
	{libproto.OpServerStats, (*conn).serverStats},
}

// answer runs one whole, undamaged frame.
func (c *conn) answer(frame libproto.Frame) {
	if err := frame.CheckRequest(); err != nil {
		c.fail(frame.Header, libproto.StatusBadPacket, 0, err.Error())
		return
	}
	for _, r := range requests {
		if r.op == frame.Op {
			c.conclude(frame.Header, r, frame.Body)
			return
		}
	}
	c.fail(frame.Header, libproto.StatusUnsupported, 0, frame.Op.String()+" is not served on the admin socket")
}

func (c *conn) conclude(to libproto.Header, r request, body []byte) {
	response, err := r.run(c, body)
	switch {
	case err == nil:
		c.reply(to, response)
	case errors.Is(err, errBody):
		c.fail(to, libproto.StatusBadPacket, 0, err.Error())
	case errors.Is(err, errNotDurable):
		c.fail(to, libproto.StatusTimeout, 0, err.Error())
	default:
		status := wirestatus.Of(err)
		c.server.log.Warn().Stringer("opcode", to.Op).Stringer("status", status).Err(err).Msg("admin: request failed")
		c.fail(to, status, wirestatus.RetryAfterMs(status), err.Error())
	}
}

// hello tells what the server's keys are made with. No login follows, so there is no nonce.
func (c *conn) hello(body []byte) (libproto.Body, error) {
	var req libproto.HelloRequest
	if err := req.Decode(body); err != nil {
		return nil, fmt.Errorf("%w: %w", errBody, err)
	}
	if req.VersionMin > libproto.Version || req.VersionMax < libproto.Version {
		return nil, fmt.Errorf("%w: versions %d to %d do not include %d", errBody, req.VersionMin, req.VersionMax, libproto.Version)
	}
	return c.server.backend.Hello, nil
}

// userAdd makes a user with its opening deposit: both, or neither.
func (c *conn) userAdd(body []byte) (libproto.Body, error) {
	var req libproto.UserAddRequest
	if err := req.Decode(body); err != nil {
		return nil, fmt.Errorf("%w: %w", errBody, err)
	}
	if req.OpeningDeposit > libproto.AmountMax {
		return nil, fmt.Errorf("opening deposit %d: %w", req.OpeningDeposit, shmstore.ErrInvalidAmount)
	}
	var id uint32
	err := c.insist(func(st *shmstore.Store) (err error) {
		id, err = st.CreateUserWith(req.Username, req.StoredKey, req.ServerKey, req.OpeningDeposit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("user %q with an opening deposit of %d: %w", req.Username, req.OpeningDeposit, err)
	}
	if err := c.awaitDurable(); err != nil {
		return nil, fmt.Errorf("user %d was added: %w", id, err)
	}
	c.server.log.Info().Bytes("user", req.Username).Uint32("user_id", id).Uint64("opening_deposit", req.OpeningDeposit).
		Uint32("uid", c.peer.UID).Int32("peer_pid", c.peer.PID).Msg("admin: user added")
	return libproto.UserAddResponse{UserID: id}, nil
}

func (c *conn) userSetKeys(body []byte) (libproto.Body, error) {
	var req libproto.UserSetKeysRequest
	if err := req.Decode(body); err != nil {
		return nil, fmt.Errorf("%w: %w", errBody, err)
	}
	var id uint32
	err := c.insist(func(st *shmstore.Store) (err error) {
		var ok bool
		if id, ok = st.Segment().FindUser(req.Username); !ok {
			return fmt.Errorf("user %q: %w", req.Username, shmstore.ErrNoUser)
		}
		return st.SetUserKeys(id, req.StoredKey, req.ServerKey)
	})
	if err == nil {
		if err = c.insist(func(st *shmstore.Store) error { return st.EndSessions(id) }); err != nil {
			err = fmt.Errorf("the keys of %q were changed, but sessions of before may be left: %w → set them again", req.Username, err)
		}
	}
	if err == nil {
		err = c.awaitDurable()
	}
	if err != nil {
		return nil, err
	}
	c.server.log.Info().Bytes("user", req.Username).Uint32("uid", c.peer.UID).Int32("peer_pid", c.peer.PID).
		Msg("admin: keys changed")
	return libproto.Empty{}, nil
}

func (c *conn) serverStats(body []byte) (libproto.Body, error) {
	var req libproto.Empty
	if err := req.Decode(body); err != nil {
		return nil, fmt.Errorf("%w: %w", errBody, err)
	}
	encoded, err := c.server.backend.Stats()
	if err != nil {
		return nil, err
	}
	return libproto.ServerStatsResponse{JSON: encoded}, nil
}

// awaitDurable waits until all that is in the log by now is as safe as answers promise.
func (c *conn) awaitDurable() error {
	var segment *shmstore.Segment
	c.server.backend.WithStore(func(st *shmstore.Store) { segment = st.Segment() })
	if !c.server.backend.Sync && !segment.Unguarded() {
		return nil
	}
	seq := segment.Head()
	for deadline := time.Now().Add(durableMax); ; {
		err := segment.AwaitDurable(seq, min(time.Until(deadline), stopSlice))
		if err == nil {
			return nil
		}
		if !errors.Is(err, shmstore.ErrBusy) || c.server.ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("%w: %w", errNotDurable, err)
		}
	}
}

// insist does something to the store, again and again while a lock is busy, until busyMax has passed or the server
// stops. The store is free for others between the attempts.
func (c *conn) insist(do func(*shmstore.Store) error) error {
	ctx, cancel := context.WithTimeout(c.server.ctx, busyMax)
	defer cancel()
	var pause libnet.Backoff
	for {
		var err error
		c.server.backend.WithStore(func(st *shmstore.Store) { err = do(st) })
		if !errors.Is(err, shmstore.ErrBusy) || pause.Wait(ctx) != nil {
			return err
		}
	}
}

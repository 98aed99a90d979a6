package client

import (
	"context"
	"time"

	"tradechat.internal/libproto"
)

// Register makes an account for user and returns its id. It needs a server with open registration and, on a plain
// connection, a loopback address; else ErrUnauthorized. A name that is taken is ErrAlreadyExists. It does not log in.
func (c *Client) Register(ctx context.Context, user, password string) (userID uint32, err error) {
	keys, err := c.Server().DeriveKeys(user, password)
	if err != nil {
		return 0, err
	}
	r, err := ask[libproto.RegisterResponse](ctx, c, libproto.OpRegister, libproto.RegisterRequest{
		Username:  []byte(user),
		StoredKey: keys.Stored,
		ServerKey: keys.Server,
	})
	return r.UserID, err
}

// Login proves that the password is known, checks that the server knows the user, and takes a session. From then on
// the Client comes back by itself when the connection is lost, and resumes the session if it still exists. A wrong name or password is
// ErrUnauthorized; the third on a connection ends the Client. A server that does not know the user's keys is
// ErrServerSignature, which ends the Client too.
func (c *Client) Login(ctx context.Context, user, password string) (Session, error) {
	l, g := c.greeted()
	keys, err := g.info.DeriveKeys(user, password)
	if err != nil {
		return Session{}, err
	}
	creds := credentials{user: user, keys: keys}
	s, err := logIn(ctx, c, l, g, creds, 0)
	if err != nil {
		return Session{}, err
	}
	return s, c.adopt(l, g, s, creds)
}

// greeted is the connection to log in on.
func (c *Client) greeted() (*link, greeting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link, c.greeting
}

// Logout ends the session at the server and closes the Client, also when the server cannot be told: then with an error.
func (c *Client) Logout(ctx context.Context) error {
	_, err := ask[libproto.Empty](ctx, c, libproto.OpLogout, libproto.Empty{})
	c.Close()
	return err
}

// Heartbeat makes a round trip and returns how long it took and the server's clock. It needs no login. Keeping the
// connection alive is not the caller's business: a Client that is logged in does that by itself.
func (c *Client) Heartbeat(ctx context.Context) (roundTrip time.Duration, serverTime time.Time, err error) {
	start := time.Now()
	r, err := ask[libproto.HeartbeatResponse](ctx, c, libproto.OpHeartbeat, libproto.HeartbeatRequest{
		ClientTimeNs: uint64(start.UnixNano()),
	})
	if err != nil {
		return 0, time.Time{}, err
	}
	return time.Since(start), timeOf(r.ServerTimeNs), nil
}

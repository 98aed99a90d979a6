package control

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/roster"
)

// ErrNoLogin is the error of a user whom the server does not let in.
var ErrNoLogin = errors.New("neither new nor known by this password (another --user-prefix or --password-file may help)")

// Server is where and how to ask.
type Server struct {
	Addr    string        // host:port
	Timeout time.Duration // of each request
}

// Probe asks the server what realm it is.
func (s Server) Probe(ctx context.Context) (roster.Realm, error) {
	c, realm, err := Dial(ctx, s.Addr, s.Timeout)
	if err != nil {
		return realm, err
	}
	c.Close()
	return realm, nil
}

// OpenAccounts registers the users, or finds that they are, gives each of them the deposit, in minor units, and notes
// their ids and balances. progress is called with the number of users that are done, from any goroutine.
func (s Server) OpenAccounts(ctx context.Context, users []roster.User, deposit uint64, progress func(done int)) error {
	return each(ctx, len(users), progress, func(ctx context.Context, i int) error {
		if err := s.openAccount(ctx, &users[i], deposit); err != nil {
			return fmt.Errorf("account of user %s: %w", users[i].Name, err)
		}
		return nil
	})
}

func (s Server) openAccount(ctx context.Context, user *roster.User, deposit uint64) error {
	c, _, err := Dial(ctx, s.Addr, s.Timeout)
	if err != nil {
		return err
	}
	defer c.Close()
	refused, err := c.register(ctx, user)
	if err != nil {
		return err
	}
	login, err := c.Login(ctx, user)
	if err != nil {
		return notLetIn(err, refused)
	}
	user.ID = login.UserID
	if deposit > 0 {
		err = c.call(ctx, libproto.OpDeposit, libproto.DepositRequest{Amount: deposit}, &libproto.DepositResponse{})
		if err != nil {
			return err
		}
	}
	if user.Opening, err = c.Balance(ctx); err != nil {
		return err
	}
	return c.Logout(ctx)
}

// notLetIn explains why LOGIN failed; refused is why REGISTER did before, or nil.
func notLetIn(err, refused error) error {
	switch {
	case !hasStatus(err, libproto.StatusUnauthorized):
		return err
	case refused != nil:
		return fmt.Errorf("%w: %w; %w", ErrNoLogin, err, refused)
	}
	return fmt.Errorf("%w: %w", ErrNoLogin, err)
}

// register makes the account. One that exists is fine, and where registration is refused it may still exist: the login
// tells, and refused goes with its error.
func (c *Client) register(ctx context.Context, user *roster.User) (refused, err error) {
	request := libproto.RegisterRequest{Username: user.Name, StoredKey: user.Keys.Stored, ServerKey: user.Keys.Server}
	err = c.call(ctx, libproto.OpRegister, request, &libproto.RegisterResponse{})
	switch {
	case hasStatus(err, libproto.StatusAlreadyExists):
		return nil, nil
	case hasStatus(err, libproto.StatusUnauthorized), hasStatus(err, libproto.StatusUnsupported):
		return err, nil
	}
	return nil, err
}

// Balance asks for the balance, in minor units.
func (c *Client) Balance(ctx context.Context) (int64, error) {
	var answer libproto.BalanceResponse
	err := c.call(ctx, libproto.OpBalance, libproto.Empty{}, &answer)
	return answer.Balance, err
}

// OpenRooms creates the rooms, or finds them, and returns their ids on the wire.
func (s Server) OpenRooms(ctx context.Context, user *roster.User, names [][]byte) ([]uint32, error) {
	c, _, err := Dial(ctx, s.Addr, s.Timeout)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if _, err := c.Login(ctx, user); err != nil {
		return nil, err
	}
	ids := make([]uint32, len(names))
	for i, name := range names {
		var answer libproto.RoomOpenResponse
		if err := c.call(ctx, libproto.OpRoomOpen, libproto.RoomOpenRequest{Name: name}, &answer); err != nil {
			return nil, fmt.Errorf("room %s: %w", name, err)
		}
		ids[i] = answer.RoomID
	}
	return ids, c.Logout(ctx)
}

// each calls do for 0 … count-1, sessionsMax at a time. The first error ends it.
func each(ctx context.Context, count int, progress func(done int), do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var work sync.WaitGroup
	var mu sync.Mutex
	next, done := 0, 0
	take := func() (i int, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= count && ctx.Err() == nil
	}
	finish := func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		progress(done)
	}
	for range min(sessionsMax, count) {
		work.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				if err := do(ctx, i); err != nil {
					cancel(err)
					return
				}
				finish()
			}
		})
	}
	work.Wait()
	return context.Cause(ctx)
}

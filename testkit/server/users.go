package server

import (
	"context"
	"fmt"

	"tradechat.internal/libproto"
	"tradechat.internal/testkit/session"
)

// User is an account that AddUsers made.
type User struct {
	Name string
	ID   uint32
	Keys libproto.Keys
}

// AddUsers makes n accounts, each with an opening deposit.
func (s *Server) AddUsers(ctx context.Context, n int, openingMinor uint64) ([]User, error) {
	hello, err := s.hello(ctx)
	if err != nil {
		return nil, err
	}
	admin, err := s.DialAdmin(ctx)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	users := make([]User, n)
	for i := range users {
		u := &users[i]
		s.users++
		u.Name = fmt.Sprintf("bench-%05d", s.users)
		if u.Keys, err = libproto.DeriveKeys(Password, u.Name, hello.RealmSalt, int(hello.KDFIterations)); err != nil {
			return nil, fmt.Errorf("server: %w", err)
		}
		if u.ID, err = admin.AddUser(ctx, u.Name, u.Keys, openingMinor); err != nil {
			return nil, fmt.Errorf("server: add user %s: %w", u.Name, err)
		}
	}
	return users, nil
}

// hello asks the server for what keys depend on.
func (s *Server) hello(ctx context.Context) (libproto.HelloResponse, error) {
	c, err := session.Dial(ctx, s.Address)
	if err != nil {
		return libproto.HelloResponse{}, err
	}
	defer c.Close()
	return c.Hello()
}

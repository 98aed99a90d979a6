// Package roster holds the users of a run, and what a login of theirs needs.
package roster

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"tradechat.internal/libproto"
)

// PrefixLenMax bounds the prefix of user and room names, in bytes: a name is the prefix, a letter and a number.
const PrefixLenMax = libproto.NameLenMax - 10

// User is one user of the run. It does not change once its account is open.
type User struct {
	Name    []byte
	Keys    libproto.Keys
	ID      uint32 // on the wire
	Opening int64  // balance before the load, minor units
}

// Realm is what a server says of itself in HELLO, as far as a run depends on it.
type Realm struct {
	Salt          [libproto.SaltLen]byte
	Iterations    int
	BodyLenMax    uint32 // bytes, after LOGIN
	MessageLenMax uint32 // bytes of a chat message
}

// New makes count users with names that begin with the prefix; their keys and ids are still to come.
func New(prefix string, count int) []User {
	users := make([]User, count)
	for i := range users {
		users[i].Name = []byte(fmt.Sprintf("%s-u%d", prefix, i))
	}
	return users
}

// RoomName is the name of the run's i-th room.
func RoomName(prefix string, i int) []byte { return []byte(fmt.Sprintf("%s-r%d", prefix, i)) }

// DeriveKeys makes the keys of all users on all processors, which takes most of a second a user at a server's usual
// settings. progress is called with the number of users that are done, from any goroutine.
func DeriveKeys(ctx context.Context, users []User, password string, realm Realm, progress func(done int)) error {
	var (
		work sync.WaitGroup
		next atomic.Int64
		done atomic.Int64
	)
	errs := make([]error, len(users))
	for range min(runtime.GOMAXPROCS(0), len(users)) {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(users) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				users[i].Keys, errs[i] = libproto.DeriveKeys(password, string(users[i].Name), realm.Salt, realm.Iterations)
				progress(int(done.Add(1)))
			}
		})
	}
	work.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("keys of user %s: %w", users[i].Name, err)
		}
	}
	return ctx.Err()
}

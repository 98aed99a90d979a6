package client

import (
	"context"
	"fmt"
	"path/filepath"

	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
)

// AdminSocketName is the file in a server's data folder that administrators connect to.
const AdminSocketName = "admin.sock"

// Admin administers a server on its own machine, as the server's own user or root: the Unix socket is the proof.
type Admin struct {
	link *link
}

// DialAdmin connects to the server that uses the data folder.
func DialAdmin(ctx context.Context, dataFolder string) (*Admin, error) {
	dialer := libnet.Dialer{Attempts: 1, AttemptTimeout: DialTimeoutDefault}
	conn, err := dialer.Dial(ctx, "unix", filepath.Join(dataFolder, AdminSocketName))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return &Admin{link: newLink(conn, linkOptions{
		pipelineMax: 1,
		sendMax:     libproto.BodyLenMaxBeforeLogin,
		receiveMax:  adminBodyLenMax,
		onPush:      func(Push) {},
	})}, nil
}

// Server asks the server what it is. DeriveKeys of the answer makes the keys that its users have.
func (a *Admin) Server(ctx context.Context) (ServerInfo, error) {
	g, err := greet(ctx, a.link, "tradechat-admin")
	return g.info, err
}

// AddUser makes an account. DeriveKeys of what Server answers makes the keys; openingMinor is 0 … libproto.AmountMax minor units.
func (a *Admin) AddUser(ctx context.Context, user string, keys libproto.Keys, openingMinor uint64) (userID uint32, err error) {
	if err := checkName("user name", user); err != nil {
		return 0, err
	}
	r, err := ask[libproto.UserAddResponse](ctx, a.link, libproto.OpUserAdd, libproto.UserAddRequest{
		Username:       []byte(user),
		StoredKey:      keys.Stored,
		ServerKey:      keys.Server,
		OpeningDeposit: openingMinor,
	})
	return r.UserID, err
}

// SetUserKeys replaces a user's keys: a new password.
func (a *Admin) SetUserKeys(ctx context.Context, user string, keys libproto.Keys) error {
	if err := checkName("user name", user); err != nil {
		return err
	}
	_, err := ask[libproto.Empty](ctx, a.link, libproto.OpUserSetKeys, libproto.UserSetKeysRequest{
		Username:  []byte(user),
		StoredKey: keys.Stored,
		ServerKey: keys.Server,
	})
	return err
}

// Stats returns the server's counters as JSON.
func (a *Admin) Stats(ctx context.Context) ([]byte, error) {
	r, err := ask[libproto.ServerStatsResponse](ctx, a.link, libproto.OpServerStats, libproto.Empty{})
	return r.JSON, err
}

// Close ends the connection.
func (a *Admin) Close() error {
	a.link.shut(ErrClosed)
	return nil
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"tradechat.internal/client"
	"tradechat.internal/liblog/version"
)

var (
	errNoUser  = errors.New("no user name")
	errAddress = errors.New("not a server's address")
)

// checkGlobals refuses global flags that cannot work.
func (a *app) checkGlobals() error {
	_, port, err := net.SplitHostPort(a.server)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("--server %q: %w: want host:port, such as %s", a.server, errAddress, client.AddressDefault)
	}
	return checkRange("--"+reconnectForFlag, a.reconnectFor, 0, reconnectForMost)
}

func (a *app) config() client.Config {
	cfg := client.DefaultConfig()
	cfg.Address = a.server
	cfg.Agent = "tradechat/" + version.Version
	cfg.ReconnectFor = a.reconnectFor
	return cfg
}

// connected runs do with a connection on which nobody is logged in.
func (a *app) connected(ctx context.Context, do func(*client.Client) error) error {
	c, err := client.Dial(ctx, a.config())
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c)
}

// loggedIn runs do as the user, and logs out. The password is asked for first: a connection has to log in soon after
// it was made.
func (a *app) loggedIn(ctx context.Context, do func(*client.Client) error) error {
	if a.user == "" {
		return hinted{errNoUser, "give --user NAME or set TRADECHAT_USER"}
	}
	password, err := a.password(ctx, a.user, false)
	if err != nil {
		return err
	}
	c, err := client.Dial(ctx, a.config())
	if err != nil {
		return err
	}
	defer logOut(ctx, c)
	if _, err := c.Login(ctx, a.user, password); err != nil {
		return err
	}
	return do(c)
}

// logOut frees the session at the server, also after an interrupt. What the command did stands whether or not it works.
func logOut(ctx context.Context, c *client.Client) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logoutWait)
	defer cancel()
	_ = c.Logout(ctx)
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tradechat.internal/client"
)

var errTwoUsers = errors.New("two different names")

type registered struct {
	act
	User   string `json:"user"`
	UserID uint32 `json:"user_id"`
}

func (r registered) writeText(w io.Writer) {
	fmt.Fprintf(w, "%s is registered as user %d\n", r.User, r.UserID)
}

func (a *app) registerCommand() *cobra.Command {
	return a.cobra(command{
		use:   "register [NAME]",
		short: "Make an account of one's own",
		long: `NAME is 1 to 32 of A-Z a-z 0-9 _ . - and may be given by --user instead. The
server must be one that lets users register themselves. The password is asked
for twice.`,
		example: `  tradechat register alice
  TRADECHAT_PASSWORD=secret tradechat register alice --json`,
		run: func(ctx context.Context, args []string) (result, error) { return a.register(ctx, args) },
	})
}

func (a *app) register(ctx context.Context, args []string) (result, error) {
	name, err := a.ownName(args)
	if err != nil {
		return nil, err
	}
	password, err := a.password(ctx, name, true)
	if err != nil {
		return nil, err
	}
	r := registered{User: name}
	err = a.connected(ctx, func(c *client.Client) error {
		r.UserID, err = c.Register(ctx, name, password)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// ownName is the one name that the argument and --user say.
func (a *app) ownName(args []string) (string, error) {
	name := a.user
	if len(args) == 1 {
		name = args[0]
	}
	switch {
	case name == "":
		return "", hinted{errNoUser, "say which: `tradechat register NAME`"}
	case a.user != "" && a.user != name:
		return "", fmt.Errorf("%w: %q as the argument, %q from --user or TRADECHAT_USER", errTwoUsers, name, a.user)
	}
	return name, checkName(name)
}

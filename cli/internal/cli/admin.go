package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tradechat.internal/cli/internal/money"
	"tradechat.internal/client"
	"tradechat.internal/libproto"
)

// dataDefault is tradechatd's default too.
const dataDefault = "tradechat-data"

func (a *app) adminCommand() *cobra.Command {
	made := a.group("admin", "Administer a server on its own machine",
		`  tradechat admin user-add bob --data /var/lib/tradechat
  tradechat admin stats --data /var/lib/tradechat`,
		a.userAddCommand(), a.userPasswdCommand(), a.statsCommand())
	made.Long = `Administer a server on its own machine.

The commands talk to ` + client.AdminSocketName + ` in the server's data folder, and must be run as the
user that runs tradechatd, or as root.`
	made.PersistentFlags().StringVar(&a.data, "data", a.env("TRADECHAT_DATA", dataDefault), "server's data `folder`; TRADECHAT_DATA")
	return made
}

const adminPasswordHelp = `The password is the user's, and is asked for twice. It is salted as the server of the data
folder wants it; --server is not used.`

type userAdded struct {
	act
	User         string `json:"user"`
	UserID       uint32 `json:"user_id"`
	OpeningMinor uint64 `json:"opening_deposit_minor"`
}

func (u userAdded) writeText(w io.Writer) {
	fmt.Fprintf(w, "%s is user %d, with %s\n", u.User, u.UserID, money.Format(int64(u.OpeningMinor)))
}

func (a *app) userAddCommand() *cobra.Command {
	var opening string
	made := a.cobra(command{
		use:   "user-add NAME",
		short: "Make an account for somebody",
		long:  adminPasswordHelp,
		example: `  tradechat admin user-add bob --data /var/lib/tradechat
  tradechat admin user-add bob --opening-deposit 100 --password-file bob.txt --json`,
		run: func(ctx context.Context, args []string) (result, error) { return a.userAdd(ctx, args[0], opening) },
	})
	made.Flags().StringVar(&opening, "opening-deposit", "0", "`amount` that the account begins with")
	return made
}

func (a *app) userAdd(ctx context.Context, name, opening string) (result, error) {
	amount, err := money.Parse(opening)
	if err != nil {
		return nil, fmt.Errorf("--opening-deposit: %w", err)
	}
	u := userAdded{User: name, OpeningMinor: amount}
	err = a.withNewKeys(ctx, name, func(admin *client.Admin, keys libproto.Keys) error {
		u.UserID, err = admin.AddUser(ctx, name, keys, amount)
		return err
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

type passwordSet struct {
	act
	User string `json:"user"`
}

func (p passwordSet) writeText(w io.Writer) { fmt.Fprintf(w, "%s has a new password\n", p.User) }

func (a *app) userPasswdCommand() *cobra.Command {
	return a.cobra(command{
		use:     "user-passwd NAME",
		short:   "Set somebody's password",
		long:    adminPasswordHelp,
		example: `  tradechat admin user-passwd bob --data /var/lib/tradechat`,
		run: func(ctx context.Context, args []string) (result, error) {
			err := a.withNewKeys(ctx, args[0], func(admin *client.Admin, keys libproto.Keys) error {
				return admin.SetUserKeys(ctx, args[0], keys)
			})
			if err != nil {
				return nil, err
			}
			return passwordSet{User: args[0]}, nil
		},
	})
}

// withNewKeys makes keys of a new password of name's, salted as the folder's own server wants them, and lets set give them to it.
func (a *app) withNewKeys(ctx context.Context, name string, set func(*client.Admin, libproto.Keys) error) error {
	if err := checkName(name); err != nil {
		return err
	}
	password, err := a.password(ctx, name, true)
	if err != nil {
		return err
	}
	admin, err := client.DialAdmin(ctx, a.data)
	if err != nil {
		return err
	}
	defer admin.Close()
	server, err := admin.Server(ctx)
	if err != nil {
		return err
	}
	keys, err := server.DeriveKeys(name, password)
	if err != nil {
		return err
	}
	return set(admin, keys)
}

func (a *app) statsCommand() *cobra.Command {
	return a.cobra(command{
		use:   "stats",
		short: "Show the server's counters",
		long: `In a table of more than a dozen rows those at zero are left out. With --json it is
the server's own JSON.`,
		example: `  tradechat admin stats --data /var/lib/tradechat
  tradechat admin stats --json | jq .totals`,
		run: func(ctx context.Context, _ []string) (result, error) {
			admin, err := client.DialAdmin(ctx, a.data)
			if err != nil {
				return nil, err
			}
			defer admin.Close()
			raw, err := admin.Stats(ctx)
			if err != nil {
				return nil, err
			}
			return parseStats(raw)
		},
	})
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tradechat.internal/client"
	"tradechat.internal/liblog/program"
	"tradechat.internal/liblog/version"
)

// Streams are what a process has; In is asked for a password if it is a terminal.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
}

// app is one command line.
type app struct {
	std          Streams
	server       string
	user         string
	passwordFile string
	data         string
	reconnectFor time.Duration
	json         bool
	began        bool // the command line was understood: what fails from here on is no matter of usage
}

// result is what a command found out; marshalled it is the JSON output.
type result interface {
	writeText(w io.Writer)
}

// command describes one command.
type command struct {
	use     string // its name and arguments, as in "transfer USER AMOUNT"; optional ones in brackets
	short   string
	long    string // after short, in the command's help; may be empty
	example string
	run     func(ctx context.Context, args []string) (result, error) // a nil result prints nothing
}

// Run executes one command line and returns the exit code. An interrupt is the end of ctx.
func Run(ctx context.Context, args []string, std Streams) int {
	stdout := program.NewOutput(std.Out)
	std.Out = stdout
	a := &app{std: std}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(std.Out)
	root.SetErr(std.Err)
	ran, err := root.ExecuteContextC(ctx)
	if lost := stdout.Err(); err == nil && !program.ReaderLeft(lost) {
		err = lost // of what others have written: help, and the version
	}
	switch {
	case err == nil:
		return program.ExitOK
	case !a.began && !errors.Is(err, program.ErrOutput):
		err = usage{err: err, command: ran.CommandPath()}
		a.json = a.json || slices.Contains(args, "--json") // parsing may not have got that far
	}
	a.report(err)
	return exitCode(err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "tradechat",
		Short:         "Chat and money on a tradechat server",
		Long:          rootHelp + exitHelp,
		Example:       rootExamples,
		Version:       version.String(),
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetVersionTemplate("tradechat {{.Version}}\n")
	a.addGlobalFlags(root)
	for _, c := range []*cobra.Command{
		a.registerCommand(), a.depositCommand(), a.withdrawCommand(), a.transferCommand(), a.balanceCommand(), a.historyCommand(),
		a.roomsCommand(), a.joinCommand(), a.sendCommand(), a.dmCommand(), a.whoCommand(), a.statusCommand(), a.adminCommand(), a.auditCommand(), a.logCommand(),
	} {
		root.AddCommand(c)
	}
	return root
}

const rootHelp = `Chat and money on a tradechat server.

Amounts are written 12 or 12.50: a point, and two decimals or none.

The password comes from --password-file, else from TRADECHAT_PASSWORD, else it is
asked for. It is never given on the command line, where others could see it.

`

var exitHelp = program.ExitHelp(program.ExitOK, program.ExitFailed, program.ExitUsage, program.ExitConnection, program.ExitUnknown,
	program.ExitOutput, program.ExitInterrupted)

const rootExamples = `  tradechat register alice
  tradechat --user alice deposit 100
  tradechat --user alice transfer bob 12.50
  tradechat --user alice join lobby
  tradechat --server chat.example.org:7878 status --json`

// reconnectForFlag is the flag whose default depends on the command.
const reconnectForFlag = "reconnect-for"

func (a *app) addGlobalFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.StringVar(&a.server, "server", a.env(program.ServerVariable, client.AddressDefault), "server's `host:port`; TRADECHAT_SERVER")
	flags.StringVar(&a.user, "user", a.env("TRADECHAT_USER", ""), "user's `name`; TRADECHAT_USER")
	flags.StringVar(&a.passwordFile, "password-file", "", "`file` whose first line is the password")
	flags.DurationVar(&a.reconnectFor, reconnectForFlag, reconnectForDefault,
		"how long to try to come back when the connection is lost, a `time` such as 30s; 0: never. join: 2m unless given")
	flags.BoolVar(&a.json, "json", false, "print JSON: one object, errors too (on stderr)")
}

func (a *app) env(name, standard string) string {
	if value := a.std.Getenv(name); value != "" {
		return value
	}
	return standard
}

// cobra makes the cobra command of c.
func (a *app) cobra(c command) *cobra.Command {
	made := &cobra.Command{
		Use:     c.use,
		Short:   c.short,
		Long:    strings.TrimSpace(c.short + ".\n\n" + c.long),
		Example: c.example,
		Args:    argumentsOf(c.use),
	}
	made.RunE = func(cmd *cobra.Command, args []string) error {
		if err := a.checkGlobals(); err != nil {
			return err
		}
		a.began = true
		r, err := c.run(cmd.Context(), args)
		if r != nil {
			if printErr := a.print(r); err == nil {
				err = printErr
			}
		}
		return err
	}
	return made
}

// group makes a command that only holds others.
func (a *app) group(use, short, example string, commands ...*cobra.Command) *cobra.Command {
	made := &cobra.Command{
		Use:     use,
		Short:   short,
		Example: example,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	made.AddCommand(commands...)
	return made
}

// argumentsOf checks the arguments against the command's own usage, such as "history" or "who [ROOM]".
func argumentsOf(use string) cobra.PositionalArgs {
	names := strings.Fields(use)[1:]
	required := 0
	for _, name := range names {
		if !strings.HasPrefix(name, "[") {
			required++
		}
	}
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= required && len(args) <= len(names) {
			return nil
		}
		want := "takes no arguments"
		if len(names) > 0 {
			want = "takes " + strings.Join(names, " ")
		}
		err := fmt.Errorf("%s %s, got %s", cmd.Name(), want, count(len(args), "argument"))
		if len(args) > len(names) && required > 1 {
			err = hinted{err, "put quotes around text with blanks"}
		}
		return err
	}
}

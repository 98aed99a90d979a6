// Package cli is the command line of tradechat-bench. One table of measurements makes a sub-command of each, and `figures`
// out of all.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"tradechat.internal/bench/internal/proc"
	"tradechat.internal/liblog/version"
)

// The exit codes; rootHelp tells them to people.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitMissed      = 3
	exitInterrupted = 130
)

// errMissed says that a figure is not what it is to be.
var errMissed = errors.New("a target was missed")

const rootHelp = `tradechat-bench measures tradechat on real processes.

It starts the programs beside it (or in --bin), each measurement its own, on free loopback ports, with data folders in
TMPDIR and segments of their own, and stops them again; on Ctrl-C, too. Progress goes to stderr, results to stdout.

Figures depend on the machine. Leave it alone meanwhile, and compare within one run.

Exit codes:
  0    measured; with --check, every target was met
  1    something could not be measured, or was wrong
  2    wrong usage
  3    measured, but with --check a target was missed
  130  interrupted`

const rootExamples = `  tradechat-bench figures --check
  tradechat-bench echo --rounds 10 --duration 5s
  tradechat-bench respawn --json respawn.json
  tradechat-bench attacks --attack silent,garbage
  tradechat-bench demo`

// app is one command line.
type app struct {
	stdout, stderr io.Writer
	bin            string
	began          bool // the command line was understood: what fails from here on is no matter of usage
}

// Main runs a command line and returns the exit code. SIGINT and SIGTERM end it in order; a second one at once.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	a := &app{stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	ran, err := root.ExecuteContextC(ctx)
	code := a.exitCode(ctx, err)
	switch code {
	case exitOK:
	case exitUsage:
		fmt.Fprintf(stderr, "tradechat-bench: %v\nsee `%s --help`\n", err, ran.CommandPath())
	case exitInterrupted:
		fmt.Fprintln(stderr, "tradechat-bench: interrupted; everything that was started is stopped")
	default:
		fmt.Fprintf(stderr, "tradechat-bench: %v\n", err)
	}
	return code
}

func (a *app) exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitOK
	case !a.began:
		return exitUsage
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return exitInterrupted
	case errors.Is(err, errMissed):
		return exitMissed
	}
	return exitFailed
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "tradechat-bench", Short: "Measures tradechat on real processes", Long: rootHelp, Example: rootExamples,
		Version: version.String(), Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetVersionTemplate("tradechat-bench {{.Version}}\n")
	root.PersistentFlags().StringVar(&a.bin, "bin", "", "`folder` of the programs to measure (default the one that tradechat-bench is in)")
	for _, m := range measurements() {
		root.AddCommand(a.measurementCommand(m))
	}
	root.AddCommand(
		a.figuresCommand(), a.peersCommand(), a.realTestCommand(), a.reportCommand(), a.attacksCommand(), a.chaosCommand(), a.demoCommand(),
		a.echoServerCommand(), a.natsServerCommand(), a.natsServiceCommand(), a.attackerCommand(),
	)
	return root
}

// say is one line of progress.
func (a *app) say(format string, args ...any) { fmt.Fprintf(a.stderr, format+"\n", args...) }

// binaries finds the programs. From here on errors are none of usage.
func (a *app) binaries() (proc.Binaries, error) {
	a.began = true
	return proc.FindBinaries(a.bin)
}

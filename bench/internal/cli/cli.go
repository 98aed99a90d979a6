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
	"tradechat.internal/liblog/program"
	"tradechat.internal/liblog/version"
)

// errMissed says that a figure is not what it is to be.
var errMissed = errors.New("a target was missed")

const rootHelp = `tradechat-bench measures tradechat on real processes.

It starts the programs beside it (or in --bin), each measurement its own, on free loopback ports, with data folders in
TMPDIR and segments of their own, and stops them again; on Ctrl-C, too. Progress goes to stderr, results to stdout.

Figures depend on the machine. Leave it alone meanwhile, and compare within one run.

With --check a target that was missed is an objective that was missed.

`

var exitHelp = program.ExitHelp(program.ExitOK, program.ExitFailed, program.ExitUsage, program.ExitObjective, program.ExitOutput,
	program.ExitInterrupted)

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
	program.SurviveClosedPipes()
	out := program.NewOutput(stdout)
	a := &app{stdout: out, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	ran, err := root.ExecuteContextC(ctx)
	if lost := out.Err(); err == nil && !program.ReaderLeft(lost) {
		err = lost // of help, the version, and tables of which nobody looked
	}
	code := a.exitCode(ctx, err)
	switch code {
	case program.ExitOK:
	case program.ExitUsage:
		fmt.Fprintf(stderr, "tradechat-bench: %v\nsee `%s --help`\n", err, ran.CommandPath())
	case program.ExitInterrupted:
		fmt.Fprintln(stderr, "tradechat-bench: interrupted; everything that was started is stopped")
	default:
		fmt.Fprintf(stderr, "tradechat-bench: %v\n", err)
	}
	return code
}

func (a *app) exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return program.ExitOK
	case !a.began && !errors.Is(err, program.ErrOutput):
		return program.ExitUsage
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return program.ExitInterrupted
	case errors.Is(err, errMissed):
		return program.ExitObjective
	case errors.Is(err, program.ErrOutput):
		return program.ExitOutput
	}
	return program.ExitFailed
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "tradechat-bench", Short: "Measures tradechat on real processes", Long: rootHelp + exitHelp, Example: rootExamples,
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

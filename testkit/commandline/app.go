// Package commandline is the shell around programs that start others and print what they found: flags, exit codes, progress, and where
// results go. tradechat-bench and tradechat-proof are made with it.
package commandline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"tradechat.internal/liblog/program"
	"tradechat.internal/liblog/version"
	"tradechat.internal/testkit/proc"
)

// ErrMissed says that a figure is not what it is to be.
var ErrMissed = errors.New("a target was missed")

// ExitHelp lists the exit codes for people.
var ExitHelp = program.ExitHelp(program.ExitOK, program.ExitFailed, program.ExitUsage, program.ExitObjective, program.ExitOutput,
	program.ExitInterrupted)

// App is one command line.
type App struct {
	Name           string
	Stdout, Stderr io.Writer
	bin            string
	Began          bool // the command line was understood: what fails from here on is no matter of usage
}

// Main runs a command line and returns the exit code. SIGINT and SIGTERM end it in order; a second one at once.
func Main(name string, root func(*App) *cobra.Command, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	program.SurviveClosedPipes()
	out := program.NewOutput(stdout)
	a := &App{Name: name, Stdout: out, Stderr: stderr}
	command := root(a)
	command.SetArgs(args)
	command.SetOut(out)
	command.SetErr(stderr)
	ran, err := command.ExecuteContextC(ctx)
	if lost := out.Err(); err == nil && !program.ReaderLeft(lost) {
		err = lost // of help, the version, and tables of which nobody looked
	}
	code := a.exitCode(ctx, err)
	switch code {
	case program.ExitOK:
	case program.ExitUsage:
		fmt.Fprintf(stderr, "%s: %v\nsee `%s --help`\n", name, err, ran.CommandPath())
	case program.ExitInterrupted:
		fmt.Fprintf(stderr, "%s: interrupted; everything that was started is stopped\n", name)
	default:
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
	}
	return code
}

func (a *App) exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return program.ExitOK
	case !a.Began && !errors.Is(err, program.ErrOutput):
		return program.ExitUsage
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return program.ExitInterrupted
	case errors.Is(err, ErrMissed):
		return program.ExitObjective
	case errors.Is(err, program.ErrOutput):
		return program.ExitOutput
	}
	return program.ExitFailed
}

// Root is the command that the others hang on.
func (a *App) Root(short, long, examples string) *cobra.Command {
	root := &cobra.Command{
		Use: a.Name, Short: short, Long: long + ExitHelp, Example: examples,
		Version: version.String(), Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetVersionTemplate(a.Name + " {{.Version}}\n")
	root.PersistentFlags().StringVar(&a.bin, "bin", "", "`folder` of the programs to run (default the one that "+a.Name+" is in)")
	return root
}

// Say is one line of progress.
func (a *App) Say(format string, args ...any) { fmt.Fprintf(a.Stderr, format+"\n", args...) }

// Binaries finds the programs. From here on errors are none of usage.
func (a *App) Binaries() (proc.Binaries, error) {
	a.Began = true
	return proc.FindBinaries(a.bin)
}

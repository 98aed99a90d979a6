// Package cli is tradechat-loadgen's command line: flags in, exit code out.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"tradechat.internal/liblog/program"
	"tradechat.internal/liblog/version"
	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/progress"
	"tradechat.internal/loadgen/internal/report"
	"tradechat.internal/loadgen/internal/run"
)

// errVerdict and errObjective are the errors of runs of which the summary has said why.
var (
	errVerdict   = errors.New("verdict failed")
	errObjective = errors.New("objective missed")
)

// Main runs the command and returns its exit code.
func Main(args []string, stdout, stderr *os.File) int {
	program.SurviveClosedPipes()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	out := program.NewOutput(stdout)
	command := newCommand(out, stderr)
	command.SetArgs(args)
	err := command.ExecuteContext(ctx)
	if lost := out.Err(); err == nil && !program.ReaderLeft(lost) {
		err = lost // of help, and the version
	}
	if err != nil && err != errVerdict && err != errObjective {
		fmt.Fprintln(stderr, "tradechat-loadgen:", err)
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var bad usageError
	switch {
	case err == nil:
		return program.ExitOK
	case errors.As(err, &bad), errors.Is(err, config.ErrInvalid):
		return program.ExitUsage
	case errors.Is(err, context.Canceled):
		return program.ExitInterrupted
	case errors.Is(err, run.ErrRefused), errors.Is(err, errVerdict):
		return program.ExitFailed
	case errors.Is(err, run.ErrSetup):
		return program.ExitConnection
	case errors.Is(err, program.ErrOutput):
		return program.ExitOutput
	case errors.Is(err, errObjective):
		return program.ExitObjective
	}
	return program.ExitFailed
}

// usageError is an error of the command line itself.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func newCommand(stdout *program.Output, stderr *os.File) *cobra.Command {
	cfg := config.Defaults()
	if server := os.Getenv(program.ServerVariable); server != "" {
		cfg.Server = server
	}
	command := &cobra.Command{
		Version:       version.String(),
		Use:           "tradechat-loadgen",
		Short:         "Load a tradechat server and judge it",
		Long:          long,
		Example:       examples,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.NoArgs(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cfg.Complete(); err != nil {
				return err
			}
			return execute(cmd.Context(), cfg, stdout, stderr)
		},
	}
	command.SetOut(stdout)
	command.SetErr(stderr)
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	command.SetVersionTemplate("tradechat-loadgen {{.Version}}\n")
	command.CompletionOptions.DisableDefaultCmd = true
	groups := cfg.Groups()
	for _, group := range groups {
		command.Flags().AddFlagSet(group.Flags)
	}
	command.SetUsageFunc(func(*cobra.Command) error { return writeUsage(command, groups) })
	return command
}

// execute makes the run and writes its results. The table goes where nothing else does.
func execute(ctx context.Context, cfg config.Config, stdout *program.Output, stderr *os.File) error {
	files, err := openOutputs(&cfg, stdout)
	if err != nil {
		return err
	}
	defer files.close()
	display := progress.New(stderr)
	summary, err := run.Run(ctx, cfg, display, files.run())
	display.Close()
	if err != nil {
		return err
	}
	if err := writeResults(summary, files, stdout, stderr); err != nil {
		return errors.Join(err, judge(summary))
	}
	return judge(summary)
}

// writeResults writes what is left to write after the run, and closes the files. Its error wraps program.ErrOutput.
func writeResults(summary *report.Summary, files *outputs, stdout, stderr io.Writer) error {
	table := stdout
	if files.stdoutTaken() {
		table = stderr
	}
	err := summary.WriteTable(table)
	if json := files.json.writer(); json != nil {
		err = errors.Join(err, summary.WriteJSON(json))
	}
	if err = errors.Join(err, files.close()); err != nil {
		return fmt.Errorf("%w: %w", program.ErrOutput, err)
	}
	return nil
}

// judge is the error of a run whose summary has said what was wrong.
func judge(summary *report.Summary) error {
	switch {
	case !summary.Verdict.OK():
		return errVerdict
	case !summary.SLOMet:
		return errObjective
	}
	return nil
}

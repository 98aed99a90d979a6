// Package cli is tradechat-loadgen's command line: flags in, exit code out.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"tradechat.internal/liblog/version"
	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/progress"
	"tradechat.internal/loadgen/internal/run"
)

// Exit codes.
const (
	exitOK        = 0
	exitVerdict   = 1 // the verdict failed, or the run could not be brought to its end
	exitUsage     = 2
	exitSetup     = 3 // no connection, no accounts, no rooms
	exitObjective = 4 // the verdict is good, and the objective was missed, or no rate of a sweep was held
)

// errVerdict and errObjective are the errors of runs of which the summary has said why.
var (
	errVerdict   = errors.New("verdict failed")
	errObjective = errors.New("objective missed")
)

// Main runs the command and returns its exit code.
func Main(args []string, stdout, stderr *os.File) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	command := newCommand(stdout, stderr)
	command.SetArgs(args)
	err := command.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, errVerdict) && !errors.Is(err, errObjective) {
		fmt.Fprintln(stderr, "tradechat-loadgen:", err)
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var bad usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &bad), errors.Is(err, config.ErrInvalid):
		return exitUsage
	case errors.Is(err, run.ErrSetup):
		return exitSetup
	case errors.Is(err, errObjective):
		return exitObjective
	}
	return exitVerdict
}

// usageError is an error of the command line itself.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func newCommand(stdout, stderr *os.File) *cobra.Command {
	cfg := config.Defaults()
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
func execute(ctx context.Context, cfg config.Config, stdout, stderr *os.File) error {
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
	table := stdout
	if files.stdoutTaken() {
		table = stderr
	}
	if err := summary.WriteTable(table); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	if json := files.json.writer(); json != nil {
		if err := summary.WriteJSON(json); err != nil {
			return fmt.Errorf("write the JSON: %w", err)
		}
	}
	if err := files.close(); err != nil {
		return err
	}
	switch {
	case !summary.Verdict.OK():
		return errVerdict
	case !summary.SLOMet:
		return errObjective
	}
	return nil
}

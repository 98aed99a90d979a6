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

	"tradechat.internal/liblog/version"
	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/progress"
	"tradechat.internal/loadgen/internal/report"
	"tradechat.internal/loadgen/internal/run"
)

// Exit codes.
const (
	exitOK      = 0
	exitVerdict = 1 // the verdict failed, or the run could not be brought to its end
	exitUsage   = 2
	exitSetup   = 3 // no connection, no accounts, no rooms
)

// errVerdict is the error of a run whose verdict is not OK; the summary has said why.
var errVerdict = errors.New("verdict failed")

const long = `Loads a tradechat server with many connections, measures what it answers, and finds out
whether it did everything right: every chat message delivered once, in order and unharmed to
every member, and not a cent too many or too few.

It registers the users that it needs (or logs in those of an earlier run), and gives each an
opening deposit. Use it on servers whose accounts hold play money.

Exit codes: 0 all well; 1 the verdict failed; 2 usage; 3 could not connect or register.`

const examples = `  tradechat-loadgen
  tradechat-loadgen --mix trade --connections 200 --duration 30s --json result.json
  tradechat-loadgen --mix chat --payload 256 --room-size 50
  tradechat-loadgen --mix trade --trade-ratio 0,0,0,1 --pipeline 16 --csv -`

// Main runs the command and returns its exit code.
func Main(args []string, stdout, stderr *os.File) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	command := newCommand(stdout, stderr)
	command.SetArgs(args)
	err := command.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, errVerdict) {
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
	cfg.AddFlags(command.Flags())
	return command
}

// execute makes the run and writes its results. The table goes where JSON or CSV do not.
func execute(ctx context.Context, cfg config.Config, stdout, stderr *os.File) error {
	csv, err := openOutput(cfg.CSVPath, stdout)
	if err != nil {
		return err
	}
	defer csv.close()
	json, err := openOutput(cfg.JSONPath, stdout)
	if err != nil {
		return err
	}
	defer json.close()
	display := progress.New(stderr)
	summary, err := run.Run(ctx, cfg, display, csv.writer())
	display.Close()
	if err != nil {
		return err
	}
	if err := write(cfg, summary, json.writer(), stdout, stderr); err != nil {
		return err
	}
	if err := errors.Join(csv.close(), json.close()); err != nil {
		return err
	}
	if !summary.Verdict.OK() {
		return errVerdict
	}
	return nil
}

func write(cfg config.Config, summary *report.Summary, json io.Writer, stdout, stderr *os.File) error {
	table := stdout
	if cfg.JSONPath == "-" || cfg.CSVPath == "-" {
		table = stderr
	}
	if err := summary.WriteTable(table); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	if json == nil {
		return nil
	}
	if err := summary.WriteJSON(json); err != nil {
		return fmt.Errorf("write the JSON: %w", err)
	}
	return nil
}

// output is a file that results are written to, stdout, or nothing. The file is made before the run: a path that cannot
// be written is found out at once.
type output struct {
	file  *os.File
	owned bool
}

func openOutput(path string, stdout *os.File) (*output, error) {
	switch path {
	case "":
		return &output{}, nil
	case "-":
		return &output{file: stdout}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", config.ErrInvalid, err)
	}
	return &output{file: file, owned: true}, nil
}

func (o *output) writer() io.Writer {
	if o.file == nil {
		return nil
	}
	return o.file
}

// close closes a file of its own, once.
func (o *output) close() error {
	if !o.owned {
		return nil
	}
	o.owned = false
	if err := o.file.Close(); err != nil {
		return fmt.Errorf("close %s: %w", o.file.Name(), err)
	}
	return nil
}

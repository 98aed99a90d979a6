package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"tradechat.internal/liblog"
	"tradechat.internal/liblog/program"
	"tradechat.internal/liblog/version"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/server/internal/master"
)

const long = `tradechatd serves chat and money to the clients of tradechat.

It starts one worker process for each --workers, prints "ready HOST:PORT" on stdout once all of them accept connections,
and logs to stderr. SIGTERM and SIGINT stop it: clients are told, what was read is answered, the books are audited.

Each setting can also be given in the environment (--max-rooms as TRADECHAT_MAX_ROOMS) or in a TOML file (max-rooms = 64)
that --config names. Flags override the environment, the environment overrides the file.

`

var exitHelp = program.ExitHelp(program.ExitOK, program.ExitFailed, program.ExitUsage, program.ExitOutput)

// runMaster is the process that a person or a service manager starts.
func runMaster(args []string, stdout, stderr io.Writer) int {
	// What a run says goes through queues: a reader that stops reading must not stop it.
	messages := liblog.NewQueue(stderr, nil)
	defer messages.Flush(liblog.FlushMax)
	var failed error // of the run; cobra's own errors are wrong usage
	said := program.NewOutput(stdout)
	command := &cobra.Command{
		Use:           "tradechatd",
		Short:         "The tradechat server",
		Long:          long + exitHelp,
		Args:          cobra.NoArgs,
		Version:       version.String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(cmd.Flags(), os.Environ())
			if err != nil {
				return err
			}
			failed = serve(c, stdout, messages)
			return nil
		},
	}
	config.AddFlags(command.Flags())
	command.SetArgs(args)
	command.SetOut(said) // help and version: a running server says in its log that nobody reads its stdout
	command.SetErr(stderr)
	switch err := errors.Join(command.Execute(), failed); {
	case failed != nil:
		fmt.Fprintf(messages, "tradechatd: %v\n", err)
		return program.ExitFailed
	case err != nil:
		fmt.Fprintf(messages, "tradechatd: %v\nRun `tradechatd --help` for the settings.\n", err)
		return program.ExitUsage
	case said.Err() != nil && !program.ReaderLeft(said.Err()):
		fmt.Fprintf(messages, "tradechatd: %v\n", said.Err())
		return program.ExitOutput
	}
	return program.ExitOK
}

func serve(c config.Config, stdout io.Writer, stderr *liblog.Queue) error {
	// A reader of stdout or stderr that went away, or a limit on the size of files, makes a call fail: no reason to be killed.
	signal.Ignore(unix.SIGPIPE, unix.SIGXFSZ)
	log, err := newLog(c, "master", stderr)
	if err != nil {
		return err
	}
	defer log.Close()
	if ignored := config.OrchestratorVariables(os.Environ()); len(ignored) > 0 {
		log.Info().Strs("variables", ignored).Msg("variables of an orchestrator are ignored: they are no settings")
	}
	said := liblog.NewQueue(stdout, func(err error) { log.Warn().Err(err).Msg("stdout cannot be written") })
	defer said.Flush(liblog.FlushMax)
	return master.Run(c, log, said)
}

// newLog makes the log of one process of the server.
func newLog(c config.Config, role string, w io.Writer) (*liblog.Logger, error) {
	level, err := liblog.ParseLevel(c.LogLevel)
	if err != nil {
		return nil, err
	}
	format, err := liblog.ParseFormat(c.LogFormat)
	if err != nil {
		return nil, err
	}
	return liblog.New(liblog.Options{Writer: w, Level: level, Format: format, Role: role}), nil
}

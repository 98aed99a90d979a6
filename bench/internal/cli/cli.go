// Package cli is the command line of tradechat-bench. One table of measurements makes a sub-command of each, and `figures`
// out of all.
package cli

import (
	"io"

	"github.com/spf13/cobra"

	"tradechat.internal/testkit/commandline"
)

const rootHelp = `tradechat-bench measures tradechat on real processes.

It starts the programs beside it (or in --bin), each measurement its own, on free loopback ports, with data folders in
TMPDIR and segments of their own, and stops them again; on Ctrl-C, too. Progress goes to stderr, results to stdout.

Figures depend on the machine. Leave it alone meanwhile, and compare within one run.

With --check a target that was missed is an objective that was missed.

`

const rootExamples = `  tradechat-bench figures --check
  tradechat-bench echo --rounds 10 --duration 5s
  tradechat-bench respawn --json respawn.json
  tradechat-bench real-test --out results`

type app struct{ *commandline.App }

// Main runs a command line and returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	return commandline.Main("tradechat-bench", root, args, stdout, stderr)
}

func root(shell *commandline.App) *cobra.Command {
	a := app{shell}
	root := a.Root("Measures tradechat on real processes", rootHelp, rootExamples)
	for _, m := range measurements() {
		root.AddCommand(a.MeasurementCommand(m))
	}
	root.AddCommand(
		a.figuresCommand(), a.peersCommand(), a.realTestCommand(), a.reportCommand(),
		a.echoServerCommand(), a.natsServerCommand(), a.natsServiceCommand(),
	)
	return root
}

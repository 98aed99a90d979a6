// Package cli is the command line of tradechat-proof.
package cli

import (
	"io"

	"github.com/spf13/cobra"

	"tradechat.internal/testkit/commandline"
)

const rootHelp = `tradechat-proof shows on real processes that tradechat holds: the whole main job at once, a drill of kills and damage, attacks.

It starts the programs beside it (or in --bin), on free loopback ports, with data folders in TMPDIR and segments of their own, and
stops them again; on Ctrl-C, too. Progress goes to stderr, results to stdout.

With --check a target that was missed is an objective that was missed.

`

const rootExamples = `  tradechat-proof demo
  tradechat-proof chaos --kills 100 --seed 7
  tradechat-proof attacks --attack silent,garbage`

type app struct{ *commandline.App }

// Main runs a command line and returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	return commandline.Main("tradechat-proof", root, args, stdout, stderr)
}

func root(shell *commandline.App) *cobra.Command {
	a := app{shell}
	root := a.Root("Shows on real processes that tradechat holds", rootHelp, rootExamples)
	root.AddCommand(a.demoCommand(), a.chaosCommand(), a.attacksCommand(), a.attackerCommand())
	return root
}

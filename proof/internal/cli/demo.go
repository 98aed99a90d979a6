package cli

import (
	"github.com/spf13/cobra"

	"tradechat.internal/proof/internal/demo"
)

// demoCommand is what `make demo` runs.
func (a app) demoCommand() *cobra.Command {
	o := demo.DefaultOptions()
	cmd := &cobra.Command{
		Use: "demo", Short: "The whole main job at once, with a worker killed in the middle",
		Long: `The whole main job at once, with a worker killed in the middle.

Starts a server, runs tradechat-loadgen against it (chat and money), kills the busiest worker with SIGKILL at half time, shows
the load generator's summary and the server's metrics, stops the server, and lists what had to hold: messages delivered
once and in order, money exact by three ledgers, the worker replaced, a stop in order, nothing left behind. The exit code
is 0 only if all of it held.`,
		Example: `  tradechat-proof demo
  tradechat-proof demo --workers 8 --duration 30s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Validate(); err != nil {
				return err
			}
			binaries, err := a.Binaries()
			if err != nil {
				return err
			}
			return demo.Run(cmd.Context(), binaries, a.Stdout, a.Stderr, o)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().IntVar(&o.Workers, "workers", o.Workers, "`number` of workers")
	cmd.Flags().IntVar(&o.Connections, "connections", o.Connections, "`number` of the load's connections")
	cmd.Flags().DurationVar(&o.Duration, "duration", o.Duration, "duration of the load")
	return cmd
}

package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tradechat.internal/proof/internal/attacks"
	"tradechat.internal/testkit/commandline"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/proc"
)

// attacksCommand is no row of the figures: it takes minutes, and says what must not happen rather than how fast something is.
func (a app) attacksCommand() *cobra.Command {
	var (
		o     = attacks.DefaultOptions()
		quick bool
	)
	return a.MeasurementCommand(&commandline.Measurement{
		Name:  "attacks",
		Short: "What clients that mean harm cost those that do not",
		Long: `Runs a server with two workers and bystanders who chat and pay at a steady rate, from an open loop that counts from when each
request was due, and compares their p99 without and under attack, in turns (A B A B). The attacker is a process of its own, at
a lower priority, with connections from 127.0.0.2 and up. Afterwards no worker may have been replaced, every bystander's
request must have been answered, the books must be right, the attack's connections gone, and the memory bounded; anything
else is listed in the last row. Each attack has a server of its own.

The attacks:
` + attackList(),
		Example: `  tradechat-proof attacks
  tradechat-proof attacks --attack silent,slowloris --duration 30s
  tradechat-proof attacks --attack silent --max-per-address 100 --sources 1
  tradechat-proof attacks --attack batch-flood --rate-limit 500
  tradechat-proof attacks --quick --check`,
		AddFlags: func(f *pflag.FlagSet) {
			f.StringSliceVar(&o.Attacks, "attack", nil, "`names` of the attacks (default all)")
			f.IntVar(&o.Rounds, "rounds", o.Rounds, "`number` of rounds of each, without and with")
			f.DurationVar(&o.Duration, "duration", o.Duration, "duration of a phase")
			f.IntVar(&o.Bystanders, "bystanders", o.Bystanders, "`number` of bystanders")
			f.IntVar(&o.Rate, "rate", o.Rate, "requests a second of all bystanders together")
			f.IntVar(&o.Connections, "connections", o.Connections, "`number` of connections of an attack (default its own)")
			f.IntVar(&o.Sources, "sources", o.Sources, "`number` of addresses that an attack comes from")
			f.IntVar(&o.MaxPerAddress, "max-per-address", o.MaxPerAddress, "the server's `limit` (0: none)")
			f.IntVar(&o.RateLimit, "rate-limit", o.RateLimit, "the server's `limit` (0: none)")
			f.DurationVar(&o.LoginTimeout, "login-timeout", o.LoginTimeout, "the server's")
			f.StringVar(&o.Durability, "durability", o.Durability, "the server's `mode`: sync, async or none")
			f.BoolVar(&quick, "quick", false, "tiny sizes: shows that everything works, the figures mean nothing")
		},
		Validate: func() error {
			if quick {
				o.Quicken()
			}
			return o.Validate()
		},
		Run: func(ctx context.Context, b proc.Bench) (figure.Result, error) { return attacks.Measure(ctx, b, o) },
	})
}

func attackList() string {
	var b strings.Builder
	for _, line := range attacks.Describe() {
		b.WriteString("  " + line + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// attackerCommand is what the attacks run as a process of its own.
func (a app) attackerCommand() *cobra.Command {
	return &cobra.Command{
		Use: attacks.Command + " ORDER", Short: "The attacker, for the attacks", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.Began = true
			order, err := attacks.ParseOrder(args[0])
			if err != nil {
				return err
			}
			return attacks.Run(cmd.Context(), order, a.Stdout)
		},
	}
}

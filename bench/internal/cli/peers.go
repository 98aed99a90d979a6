package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tradechat.internal/bench/internal/natspeer"
	"tradechat.internal/bench/internal/peers"
	"tradechat.internal/testkit/commandline"
	"tradechat.internal/testkit/figure"
)

const peersHelp = `tradechat beside Redis, PostgreSQL, NATS and bare echoes.

Starts others on this machine, each in a folder of its own and on a free loopback port, drives them and tradechat with the same
client in turns (A B A B), and prints throughput, processor time of a request, latency at one rate for all, and memory, with their
ratios to tradechat in the same round. Durability is matched: what is on disk before the answer is compared with its like.

What is not installed is skipped, with a word on why: redis-server and postgresql are the names of Debian's packages, gcc makes
the echo in C, and NATS is built in. There are no targets. It takes about five minutes.`

// peersOutputs says where the comparison goes.
type peersOutputs struct{ json, markdown, csv string }

// peersCommand compares with other servers.
func (a app) peersCommand() *cobra.Command {
	var (
		o     = peers.DefaultOptions()
		to    peersOutputs
		quick bool
	)
	cmd := &cobra.Command{
		Use: "peers", Short: "tradechat beside Redis, PostgreSQL, NATS and bare echoes", Long: peersHelp,
		Example: `  tradechat-bench peers
  tradechat-bench peers --only redis,echo --depth 16
  tradechat-bench peers --csv peers.csv --markdown peers.md`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if quick {
				o.Quicken()
			}
			if err := o.Validate(); err != nil {
				return err
			}
			return a.peers(cmd.Context(), o, to)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&o.Only, "only", o.Only, "`peers` to compare with: "+strings.Join(peers.Names(), ","))
	f.IntVar(&o.Workers, "workers", o.Workers, "`number` of workers, and of loops of the gnet echo")
	f.IntVar(&o.Connections, "connections", o.Connections, "`number` of connections to each")
	f.IntVar(&o.Subscribers, "subscribers", o.Subscribers, "`number` of members of the room, and of subscribers")
	f.IntVar(&o.Depth, "depth", o.Depth, "`number` of requests of a connection on their way at once")
	f.IntVar(&o.Rounds, "rounds", o.Rounds, "`number` of rounds of each")
	f.DurationVar(&o.Duration, "duration", o.Duration, "duration of a round at full speed")
	f.DurationVar(&o.Latency, "latency-duration", o.Latency, "duration of a round at a fixed rate")
	f.BoolVar(&quick, "quick", false, "tiny sizes: shows that everything works, the figures mean nothing")
	f.StringVar(&to.json, "json", "", "`file` for everything that was recorded, as JSON; - is stdout, instead of the tables")
	f.StringVar(&to.markdown, "markdown", "", "`file` for the tables as Markdown; - is stdout, instead of the tables")
	f.StringVar(&to.csv, "csv", "", "`file` for a line a contender, as CSV; - is stdout, instead of the tables")
	return cmd
}

func (a app) peers(ctx context.Context, o peers.Options, to peersOutputs) error {
	binaries, err := a.Binaries()
	if err != nil {
		return err
	}
	environment := figure.Here()
	result, err := peers.Run(ctx, binaries, a.Say, o)
	if ctx.Err() != nil {
		return context.Canceled
	}
	if err != nil {
		return err
	}
	tables := func(write func(figure.Table, io.Writer) error) func(io.Writer) error {
		return func(w io.Writer) error {
			for _, t := range result.Tables() {
				if err := write(t, w); err != nil {
					return err
				}
				fmt.Fprintln(w)
			}
			_, err := fmt.Fprintln(w, strings.Join(append(result.Versions(), environment.String()), ", "))
			return err
		}
	}
	report := figure.Report{Environment: environment, Details: map[string]any{"peers": result}, Figures: []figure.Figure{}}
	if to.json != commandline.StandardOut && to.markdown != commandline.StandardOut && to.csv != commandline.StandardOut {
		err = tables(figure.Table.Text)(a.Stdout)
	}
	markdown := tables(figure.Table.Markdown)
	return errors.Join(err, a.WriteTo(to.json, report.JSON), a.WriteTo(to.markdown, markdown), a.WriteTo(to.csv, result.CSV))
}

// natsServerCommand and natsServiceCommand are what the comparison with NATS runs as processes of their own.
func (a app) natsServerCommand() *cobra.Command {
	return &cobra.Command{
		Use: natspeer.ServerCommand, Short: "A NATS server, for the comparison", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a.Began = true
			return natspeer.RunServer(a.Stdout)
		},
	}
}

func (a app) natsServiceCommand() *cobra.Command {
	var s natspeer.Service
	cmd := &cobra.Command{
		Use: natspeer.ServiceCommand, Short: "A service behind NATS, for the comparison", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a.Began = true
			return natspeer.RunService(s, a.Stdout)
		},
	}
	cmd.Flags().StringVar(&s.Server, "server", "", "the NATS server's `address`")
	cmd.Flags().StringVar(&s.Subject, "subject", "", "`subject` to answer on")
	cmd.Flags().IntVar(&s.ResponseLen, "response", 1, "length of an answer in bytes")
	return cmd
}

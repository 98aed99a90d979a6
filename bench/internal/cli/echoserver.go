package cli

import (
	"github.com/spf13/cobra"

	"tradechat.internal/bench/internal/echoserver"
)

// echoServerCommand is what the echo measurement runs as a process of its own.
func (a app) echoServerCommand() *cobra.Command {
	var c echoserver.Config
	cmd := &cobra.Command{
		Use: echoserver.Command, Short: "A bare gnet echo server, for the echo measurement", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a.Began = true
			return echoserver.Run(c, a.Stdout)
		},
	}
	cmd.Flags().IntVar(&c.Loops, "loops", 1, "event loops")
	cmd.Flags().IntVar(&c.RequestLen, "request", 1, "length of a request in bytes")
	cmd.Flags().IntVar(&c.ResponseLen, "response", 1, "length of an answer in bytes")
	return cmd
}

package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"tradechat.internal/liblog/program"
	"tradechat.internal/loadgen/internal/config"
)

var long = `Loads a tradechat server with many connections, measures what it answers, and finds out
whether it did everything right: every chat message delivered once, in order and unharmed to
every member, and not a cent too many or too few.

The loop is closed (each connection keeps --pipeline requests in flight) or open (--rate, or
--rate-sweep: requests are due at times of their own, and latencies count from then on).

It registers the users that it needs (or logs in those of an earlier run), and gives each an
opening deposit. Use it on servers whose accounts hold play money.

` + program.ExitHelp(program.ExitOK, program.ExitFailed, program.ExitUsage, program.ExitConnection, program.ExitObjective, program.ExitOutput,
	program.ExitInterrupted)

const examples = `  Closed loop, to find out how much goes through
    tradechat-loadgen
    tradechat-loadgen --mix trade --connections 200 --duration 30s --warm-up 5s --json result.json
    tradechat-loadgen --mix balance=1 --pipeline 16 --threads 2
    tradechat-loadgen --mix transfer=60,balance=20,chat=20 --think 10ms --skew 0.99
    tradechat-loadgen --mix trade --batch 50

  Open loop, to find out how long it takes
    tradechat-loadgen --mix trade --rate 20000 --warm-up 2s --hgrm trade.hgrm
    tradechat-loadgen --rate 5000 --arrivals poisson --pipeline 16 --slo 'p99<2ms,errors<0.1%'

  The highest rate that the server holds
    tradechat-loadgen --mix trade --rate-sweep auto --duration 3s --warm-up 1s --slo 'p99<5ms'
    tradechat-loadgen --mix trade --rate-sweep 10000:60000:10000 --duration 5s --json sweep.json

  Chat
    tradechat-loadgen --mix chat --payload 32-1024 --room-size 50
    tradechat-loadgen --mix chat --connections 2000 --connect-rate 500 --room-size 100 --csv - --interval 500ms`

// writeUsage writes the flags by what they are about.
func writeUsage(command *cobra.Command, groups []config.Group) error {
	var b strings.Builder
	b.WriteString("Usage:\n  tradechat-loadgen [flags]\n\nExamples:\n" + command.Example + "\n")
	for _, group := range groups {
		b.WriteString("\n" + group.Title + ":\n" + group.Flags.FlagUsages())
	}
	b.WriteString("\nOthers:\n  -h, --help      this text\n  -v, --version   version of tradechat-loadgen\n")
	command.Print(b.String())
	return nil
}

package cli

import (
	"errors"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"tradechat.internal/proof/internal/chaos"
	"tradechat.internal/testkit/commandline"
)

const chaosHelp = `The drill: kills and damages a server at random, and checks what its clients were told.

Starts a server and puts a load of money and chat on it, with the Go client library and through a proxy of its own. Meanwhile
a nemesis kills and stops processes, takes the shared memory away, cuts, delays and drops connections, and fills the disk.
At the end it checks that one order of all operations explains every answer about money (porcupine), that sums, journal and audit
agree with it, that every member of a room got every message once and in order or was told what it did not get, and that
nothing is left behind. What was done and what held is printed as a certificate.

The seed decides what is done; when that meets the server is up to the machine. Filling the disk needs mounts of its own
(root); without them that fault is left out, and the certificate says so.

Faults:
`

// chaosCommand is what `make chaos` runs.
func (a app) chaosCommand() *cobra.Command {
	o := chaos.DefaultOptions()
	var json string
	cmd := &cobra.Command{
		Use: "chaos", Short: "The drill: a server killed and damaged at random, and what its clients were told checked",
		Long: chaosHelp + chaos.FaultsHelp() + "\n" + commandline.ExitHelp,
		Example: `  tradechat-proof chaos
  tradechat-proof chaos --kills 500
  tradechat-proof chaos --kills 100 --seed 7 --json drill.json
  tradechat-proof chaos --kills 0 --duration 30s --faults cut,delay,drop`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Validate(); err != nil {
				return err
			}
			if o.Seed == 0 {
				o.Seed = 1 + rand.Uint64N(1e9)
			}
			binaries, err := a.Binaries()
			if err != nil {
				return err
			}
			for _, name := range []string{"tradechatd", "tradechat"} { // the second one audits at the end: better missed now
				if _, err := binaries.Path(name); err != nil {
					return err
				}
			}
			if o.NeedsMounts() {
				chaos.OwnMounts() // starts this program again: before anything else is started
			}
			certificate, err := chaos.Run(cmd.Context(), binaries, a.Say, o)
			if err != nil {
				return err
			}
			return errors.Join(certificate.Err(), a.writeCertificate(certificate, json))
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.IntVar(&o.Kills, "kills", o.Kills, "`number` of kills after which it ends; 0: --duration ends it")
	f.DurationVar(&o.Duration, "duration", o.Duration, "time after which it ends at the latest")
	f.Uint64Var(&o.Seed, "seed", 0, "`number` that decides what is done; 0: one at random, which the certificate names")
	f.IntVar(&o.Workers, "workers", o.Workers, "`number` of workers")
	f.IntVar(&o.Clients, "clients", o.Clients, "`number` of clients; half of them move money, in groups of three, the others chat")
	f.StringSliceVar(&o.Faults, "faults", o.Faults, "`faults` to do")
	f.StringVar(&json, "json", "", "`file` for the certificate as JSON; - is stdout, instead of the text")
	return cmd
}

func (a app) writeCertificate(c *chaos.Certificate, json string) error {
	var err error
	if json != commandline.StandardOut {
		err = c.Text(a.Stdout)
	}
	return errors.Join(err, a.WriteTo(json, c.JSON))
}

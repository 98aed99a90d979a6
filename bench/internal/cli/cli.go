package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tradechat.internal/bench/internal/echoserver"
	"tradechat.internal/bench/internal/figure"
	"tradechat.internal/bench/internal/measure"
	"tradechat.internal/bench/internal/proc"
)

func Main(args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{Use: "x"}
	var c echoserver.Config
	e := &cobra.Command{Use: "echo-server", RunE: func(*cobra.Command, []string) error { return echoserver.Run(c, stdout) }}
	e.Flags().IntVar(&c.Loops, "loops", 1, "")
	e.Flags().IntVar(&c.RequestLen, "request", 1, "")
	e.Flags().IntVar(&c.ResponseLen, "response", 1, "")
	bins, _ := proc.FindBinaries("")
	b := measure.Bench{Binaries: bins, Say: func(f string, a ...any) { fmt.Fprintf(stderr, f+"\n", a...) }}
	show := func(r measure.Result, err error) error {
		rep := figure.Report{Environment: figure.Here(), Figures: r.Figures(), Details: map[string]any{"echo": r}}
		rep.Text(stdout)
		rep.JSON(stdout)
		return err
	}
	root.AddCommand(e,
		&cobra.Command{Use: "echo", RunE: func(*cobra.Command, []string) error { r, err := b.Echo(context.Background(), measure.DefaultEchoOptions()); return show(r, err) }},
		&cobra.Command{Use: "idle-memory", RunE: func(*cobra.Command, []string) error { r, err := b.IdleMemory(context.Background(), measure.DefaultIdleMemoryOptions()); return show(r, err) }},
		&cobra.Command{Use: "respawn", RunE: func(*cobra.Command, []string) error { r, err := b.Respawn(context.Background(), measure.DefaultRespawnOptions()); return show(r, err) }},
		&cobra.Command{Use: "allocs", RunE: func(*cobra.Command, []string) error { r, err := b.Allocs(context.Background(), measure.DefaultAllocsOptions()); return show(r, err) }},
		)
	root.SetArgs(args)
	root.Execute()
	return 0
}

package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tradechat.internal/bench/internal/htmlreport"
	"tradechat.internal/bench/internal/realtest"
)

// realTestCommand is what `make results` runs.
func (a app) realTestCommand() *cobra.Command {
	o := realtest.DefaultOptions()
	cmd := &cobra.Command{
		Use: "real-test", Short: "The Real Test: loads case by case, as CSV, JSON and pictures",
		Long: `The Real Test: loads case by case, as CSV, JSON and pictures.

Each case is a tradechat-loadgen against a tradechatd of its own; what is compared is measured in turns. A case counts only if
the load generator's verdict is good, and the server's audit at its stop. The whole takes about eight minutes.

` + testList() + `
For each test there are NAME.json (everything, with machine, kernel, commit and flags) and, for each picture, the same name with
.csv (its data), .svg, .png and .gp (with which gnuplot draws it again). ` + "`tradechat-bench report`" + ` makes a page of them.`,
		Example: `  tradechat-bench real-test --out results
  tradechat-bench real-test --out results --only locks,kill --duration 60s
  tradechat-bench real-test --out /tmp/r --quick`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Validate(); err != nil {
				return err
			}
			binaries, err := a.Binaries()
			if err != nil {
				return err
			}
			if err := (realtest.Runner{Binaries: binaries, Say: a.Say}).Run(cmd.Context(), o); err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.Stdout, o.Out)
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.Out, "out", o.Out, "`folder` for the results, made if missing")
	flags.StringSliceVar(&o.Only, "only", nil, "`tests` to run: "+strings.Join(realtest.Names(), ","))
	flags.DurationVar(&o.Duration, "duration", o.Duration, "measured time of each case, all its rounds together")
	flags.BoolVar(&o.Quick, "quick", false, "a few seconds each: shows that everything works, the numbers mean nothing")
	return cmd
}

func testList() string {
	var b strings.Builder
	for _, t := range realtest.Tests() {
		fmt.Fprintf(&b, "  %-12s %s\n", t.Name, t.Title)
	}
	return b.String()
}

// reportCommand makes a page of results.
func (a app) reportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "report folder", Short: "A page and tables of the Real Test's results",
		Long: `A page and tables of the Real Test's results.

Reads what real-test has written into a folder, and puts ` + htmlreport.PageName + ` beside it, one file with everything in it that needs
no network, and ` + htmlreport.TableName + `, the same as Markdown with links to the pictures.`,
		Example: `  tradechat-bench report results`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			a.Began = true
			if err := htmlreport.Write(args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintln(a.Stdout, filepath.Join(args[0], htmlreport.PageName))
			return err
		},
	}
}

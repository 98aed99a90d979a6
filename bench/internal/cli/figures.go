package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tradechat.internal/testkit/commandline"
)

// figuresCommand runs all measurements with their default sizes.
func (a app) figuresCommand() *cobra.Command {
	var (
		rows  = measurements()
		to    commandline.Outputs
		skip  []string
		quick bool
	)
	cmd := &cobra.Command{
		Use: "figures", Short: "All figures, in one table",
		Long: `All figures, in one table.

Runs every measurement with its default sizes, which takes two minutes, and prints what was measured, what it was to be, and
on what machine and with which build. It needs the Go tool and the source tree for the libraries' benchmarks, or their
output, or --skip go-bench.`,
		Example: `  tradechat-bench figures --check
  tradechat-bench figures --json figures.json --markdown figures.md
  tradechat-bench figures --skip go-bench,idle-memory`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			chosen, err := without(rows, skip)
			if err != nil {
				return err
			}
			if quick {
				for _, m := range chosen {
					m.Quicken()
				}
			}
			if err := validateAll(chosen); err != nil {
				return err
			}
			return a.Measure(cmd.Context(), chosen, to)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&skip, "skip", nil, "`measurements` to leave out: "+strings.Join(names(rows), ","))
	flags.BoolVar(&quick, "quick", false, "tiny sizes: shows that everything works, the figures mean nothing")
	rows[0].AddFlags(flags) // go-bench's
	to.AddFlags(flags)
	return cmd
}

func names(rows []*commandline.Measurement) (list []string) {
	for _, m := range rows {
		list = append(list, m.Name)
	}
	return list
}

// without leaves the named rows out.
func without(rows []*commandline.Measurement, skip []string) (kept []*commandline.Measurement, err error) {
	for _, name := range skip {
		if !slices.Contains(names(rows), name) {
			return nil, fmt.Errorf("--skip %s: there are %s", name, strings.Join(names(rows), ", "))
		}
	}
	for _, m := range rows {
		if !slices.Contains(skip, m.Name) {
			kept = append(kept, m)
		}
	}
	return kept, nil
}

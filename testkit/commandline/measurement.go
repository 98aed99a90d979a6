package commandline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tradechat.internal/liblog/program"
	"tradechat.internal/testkit/figure"
	"tradechat.internal/testkit/proc"
)

// Measurement is one row of a table of measurements.
type Measurement struct {
	Name, Short, Long, Example string

	AddFlags func(*pflag.FlagSet)
	Validate func() error
	Quicken  func() // reduces the sizes to what shows that it works, and nothing else
	Run      func(context.Context, proc.Bench) (figure.Result, error)
}

// MeasurementCommand makes the sub-command of a row.
func (a *App) MeasurementCommand(m *Measurement) *cobra.Command {
	var to Outputs
	cmd := &cobra.Command{
		Use: m.Name, Short: m.Short, Long: m.Short + ".\n\n" + m.Long, Example: m.Example, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := m.Validate(); err != nil {
				return err
			}
			return a.Measure(cmd.Context(), []*Measurement{m}, to)
		},
	}
	cmd.Flags().SortFlags = false
	m.AddFlags(cmd.Flags())
	to.AddFlags(cmd.Flags())
	return cmd
}

// StandardOut is the file name that stands for stdout.
const StandardOut = "-"

// Outputs says where results go, and whether they are judged.
type Outputs struct {
	json, markdown string
	check          bool
}

func (o *Outputs) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.json, "json", "", "`file` for everything that was recorded, as JSON; - is stdout, instead of the table")
	f.StringVar(&o.markdown, "markdown", "", "`file` for the table as Markdown; - is stdout, instead of the table")
	f.BoolVar(&o.check, "check", false, "exit with 5 if a target was missed")
}

// Measure runs measurements one after the other. One that fails does not keep the next from running.
func (a *App) Measure(ctx context.Context, rows []*Measurement, to Outputs) error {
	binaries, err := a.Binaries()
	if err != nil {
		return err
	}
	report := figure.Report{Environment: figure.Here(), Details: make(map[string]any)}
	var failures error
	for _, m := range rows {
		result, err := m.Run(ctx, proc.Bench{Binaries: binaries, Say: a.Say})
		if ctx.Err() != nil {
			return errors.Join(context.Canceled, failures)
		}
		if err != nil {
			failures = errors.Join(failures, fmt.Errorf("%s: %w", m.Name, err))
			continue
		}
		report.Figures = append(report.Figures, result.Figures()...)
		report.Details[m.Name] = result
	}
	if len(report.Figures) > 0 {
		failures = errors.Join(failures, a.write(report, to))
	}
	if failures == nil && to.check && !figure.AllMet(report.Figures) {
		return ErrMissed
	}
	return failures
}

// write puts the report wherever it is wanted, and the table on stdout unless that is wanted for something else.
func (a *App) write(r figure.Report, to Outputs) error {
	var err error
	if to.json != StandardOut && to.markdown != StandardOut {
		err = r.Text(a.Stdout)
	}
	return errors.Join(err, a.WriteTo(to.json, r.JSON), a.WriteTo(to.markdown, r.Markdown))
}

// WriteTo writes a result to a file; "" is none.
func (a *App) WriteTo(path string, write func(io.Writer) error) error {
	switch path {
	case "":
		return nil
	case StandardOut:
		return write(a.Stdout)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return fmt.Errorf("%w: %w", program.ErrOutput, err)
	}
	return nil
}

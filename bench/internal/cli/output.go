package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"tradechat.internal/bench/internal/figure"
	"tradechat.internal/bench/internal/measure"
	"tradechat.internal/liblog/program"
)

// standardOut is the file name that stands for stdout.
const standardOut = "-"

// outputs says where results go, and whether they are judged.
type outputs struct {
	json, markdown string
	check          bool
}

func (o *outputs) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.json, "json", "", "`file` for everything that was recorded, as JSON; - is stdout, instead of the table")
	f.StringVar(&o.markdown, "markdown", "", "`file` for the table as Markdown; - is stdout, instead of the table")
	f.BoolVar(&o.check, "check", false, "exit with 5 if a target was missed")
}

// measure runs measurements one after the other. One that fails does not keep the next from running.
func (a *app) measure(ctx context.Context, rows []*measurement, to outputs) error {
	binaries, err := a.binaries()
	if err != nil {
		return err
	}
	report := figure.Report{Environment: figure.Here(), Details: make(map[string]any)}
	var failures error
	for _, m := range rows {
		result, err := m.run(ctx, measure.Bench{Binaries: binaries, Say: a.say})
		if ctx.Err() != nil {
			return errors.Join(context.Canceled, failures)
		}
		if err != nil {
			failures = errors.Join(failures, fmt.Errorf("%s: %w", m.name, err))
			continue
		}
		report.Figures = append(report.Figures, result.Figures()...)
		report.Details[m.name] = result
	}
	if len(report.Figures) > 0 {
		failures = errors.Join(failures, a.write(report, to))
	}
	if failures == nil && to.check && !figure.AllMet(report.Figures) {
		return errMissed
	}
	return failures
}

// write puts the report wherever it is wanted, and the table on stdout unless that is wanted for something else.
func (a *app) write(r figure.Report, to outputs) error {
	var err error
	if to.json != standardOut && to.markdown != standardOut {
		err = r.Text(a.stdout)
	}
	return errors.Join(err, a.writeTo(to.json, r.JSON), a.writeTo(to.markdown, r.Markdown))
}

func (a *app) writeTo(path string, write func(io.Writer) error) error {
	switch path {
	case "":
		return nil
	case standardOut:
		return write(a.stdout)
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

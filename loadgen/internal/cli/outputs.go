package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tradechat.internal/loadgen/internal/config"
	"tradechat.internal/loadgen/internal/run"
)

// outputs are the files that results are written to.
type outputs struct {
	json, csv, latencies, sinceSent *output
}

// openOutputs makes the files before the run: a path that cannot be written is found out at once.
func openOutputs(cfg *config.Config, stdout io.Writer) (*outputs, error) {
	o := &outputs{json: &output{}, csv: &output{}, latencies: &output{}, sinceSent: &output{}}
	for _, file := range []struct {
		into *output
		path string
	}{
		{o.json, cfg.JSONPath}, {o.csv, cfg.CSVPath}, {o.latencies, cfg.HgrmPath}, {o.sinceSent, sinceSentPath(cfg)},
	} {
		if err := file.into.open(file.path, stdout); err != nil {
			return nil, errors.Join(err, o.close())
		}
	}
	return o, nil
}

// sinceSentPath is beside --hgrm: FILE.hgrm has FILE-since-sent.hgrm. A closed loop has none, and neither has stdout.
func sinceSentPath(cfg *config.Config) string {
	if cfg.HgrmPath == "" || cfg.HgrmPath == config.Stdout || !cfg.Open() {
		return ""
	}
	extension := filepath.Ext(cfg.HgrmPath)
	return strings.TrimSuffix(cfg.HgrmPath, extension) + "-since-sent" + extension
}

func (o *outputs) all() []*output { return []*output{o.json, o.csv, o.latencies, o.sinceSent} }

// run is what the run writes itself.
func (o *outputs) run() run.Outputs {
	return run.Outputs{CSV: o.csv.writer(), Latencies: o.latencies.writer(), SinceSent: o.sinceSent.writer()}
}

// stdoutTaken reports whether one of them is stdout.
func (o *outputs) stdoutTaken() bool {
	for _, out := range o.all() {
		if out.shared {
			return true
		}
	}
	return false
}

// close closes the files, once.
func (o *outputs) close() (err error) {
	for _, out := range o.all() {
		err = errors.Join(err, out.close())
	}
	return err
}

// output is a file of its own, stdout, or nothing.
type output struct {
	to     io.Writer // nil: nothing
	file   *os.File  // of its own, while it is open
	shared bool      // stdout
}

func (o *output) open(path string, stdout io.Writer) error {
	switch path {
	case "":
		return nil
	case config.Stdout:
		o.to, o.shared = stdout, true
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("%w: %w", config.ErrInvalid, err)
	}
	o.to, o.file = file, file
	return nil
}

func (o *output) writer() io.Writer { return o.to }

// close closes a file of its own, once.
func (o *output) close() error {
	if o.file == nil {
		return nil
	}
	err := o.file.Close()
	o.file = nil
	if err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

const help = `mutants seeds bugs in the product, one at a time, and tells which check catches each.

usage: go run ./shmstore/internal/mutants [flags]

  --run REGEXP   only the mutants whose names match
  --json         a line of JSON a mutant, for programs
  --list         the mutants and what they do, and nothing else

examples:
  make mutants
  go run ./shmstore/internal/mutants --run 'repair-'

exit status: 0 all were caught, 1 some survived, 2 the checks fail without a mutant, or a mutant cannot be built
`

// result is what became of a mutant.
type result struct {
	Mutant   string  `json:"mutant"`
	Bug      string  `json:"bug"`
	CaughtBy string  `json:"caught_by"` // the check; "": it survived
	Test     string  `json:"test"`
	Seconds  float64 `json:"seconds"` // with building
}

var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	survived, err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	case survived > 0:
		fmt.Fprintf(os.Stderr, "mutants: %d survived\n", survived)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (survived int, err error) {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	pattern, asJSON, list := flags.String("run", "", ""), flags.Bool("json", false, ""), flags.Bool("list", false, "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Print(help)
		return 0, err
	} else if err != nil || flags.NArg() != 0 {
		return 0, fmt.Errorf("%w: %w; see --help", errUsage, errors.Join(err, unknown(flags.Args())))
	}
	wanted, err := regexp.Compile(*pattern)
	if err != nil {
		return 0, fmt.Errorf("%w: --run: %w", errUsage, err)
	}
	chosen := choose(wanted)
	if *list {
		return 0, tell(chosen)
	}
	return examine(ctx, chosen, *asJSON)
}

func unknown(args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unknown argument %q", args[0])
}

func choose(wanted *regexp.Regexp) (chosen []mutant) {
	for _, m := range mutants {
		if wanted.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

func tell(chosen []mutant) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, m := range chosen {
		fmt.Fprintf(w, "%s\t%s\t%s\n", m.name, m.bug, m.file)
	}
	return w.Flush()
}

// examine holds the checks against the product, and then against each mutant.
func examine(ctx context.Context, chosen []mutant, asJSON bool) (survived int, err error) {
	root, err := repository()
	if err != nil {
		return 0, err
	}
	folder, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	began := time.Now()
	if err := sound(ctx, &laboratory{root: root, folder: folder, subject: "product"}); err != nil {
		return 0, err
	}
	var results []result
	for i := range chosen {
		r, err := chosen[i].examine(ctx, root, folder)
		if err != nil {
			return 0, err
		}
		progress("%d/%d  %s: %s", i+1, len(chosen), r.Mutant, r.verdict())
		if r.CaughtBy == "" {
			survived++
		}
		results = append(results, r)
	}
	progress("%d mutants, %d survived, %.0f s", len(results), survived, time.Since(began).Seconds())
	return survived, report(results, asJSON)
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, "mutants: "+format+"\n", args...) }

// repository is the folder of go.work.
func repository() (string, error) {
	out, err := exec.Command("go", "env", "GOWORK").Output()
	work := strings.TrimSpace(string(out))
	if err == nil && filepath.Base(work) != "go.work" {
		err = fmt.Errorf("%w: not in the repository: there is no go.work above this folder", errUsage)
	}
	return filepath.Dir(work), err
}

// sound tells whether all checks pass on the product as it is.
func sound(ctx context.Context, lab *laboratory) error {
	for i := range checks {
		began := time.Now()
		failed, err := lab.run(ctx, &checks[i])
		if err != nil {
			return err
		}
		if failed != "" {
			_, _ = os.Stderr.Write(lab.output.Bytes())
			return fmt.Errorf("%s fails on the product as it is, in %s: nothing can be learnt from a mutant", checks[i].name, failed)
		}
		progress("product: %s passes, %.0f s", checks[i].name, time.Since(began).Seconds())
	}
	return nil
}

// examine runs the checks until one fails.
func (m *mutant) examine(ctx context.Context, root, folder string) (result, error) {
	r := result{Mutant: m.name, Bug: m.bug}
	lab := &laboratory{root: root, folder: filepath.Join(folder, m.name), subject: m.name}
	if err := os.Mkdir(lab.folder, 0o700); err != nil {
		return r, err
	}
	defer os.RemoveAll(lab.folder)
	began := time.Now()
	err := m.writeOverlay(lab)
	for i := 0; err == nil && i < len(checks) && r.CaughtBy == ""; i++ {
		if !checks[i].sees(m.file) {
			continue
		}
		if r.Test, err = lab.catches(ctx, &checks[i]); r.Test != "" {
			r.CaughtBy = checks[i].name
		}
	}
	r.Seconds = time.Since(began).Seconds()
	return r, err
}

// writeOverlay writes the changed file, and what tells the compiler to read it in place of the real one.
func (m *mutant) writeOverlay(lab *laboratory) error {
	real := filepath.Join(lab.root, m.file)
	source, err := os.ReadFile(real)
	if err != nil {
		return err
	}
	changed, err := m.apply(string(source))
	if err != nil {
		return err
	}
	instead := filepath.Join(lab.folder, filepath.Base(m.file))
	if err := os.WriteFile(instead, []byte(changed), 0o600); err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {real: instead}})
	if err != nil {
		return err
	}
	lab.overlay = filepath.Join(lab.folder, "overlay.json")
	return os.WriteFile(lab.overlay, overlay, 0o600)
}

// apply makes the replacements.
func (m *mutant) apply(source string) (string, error) {
	for _, r := range m.text {
		if n := strings.Count(source, r.old); n != 1 {
			return "", fmt.Errorf("mutant %s: %q is in %s %d times, want once: bring table.go up to date", m.name, r.old, m.file, n)
		}
		source = strings.Replace(source, r.old, r.new, 1)
	}
	return source, nil
}

func (r *result) verdict() string {
	if r.CaughtBy == "" {
		return fmt.Sprintf("SURVIVED (%.1f s)", r.Seconds)
	}
	return fmt.Sprintf("caught by %s, %s (%.1f s)", r.CaughtBy, r.Test, r.Seconds)
}

func report(results []result, asJSON bool) error {
	if asJSON {
		out := json.NewEncoder(os.Stdout)
		for _, r := range results {
			if err := out.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "mutant\twhat it does wrong\tcaught by\ttest\tseconds")
	for _, r := range results {
		by := r.CaughtBy
		if by == "" {
			by = "NOTHING"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.1f\n", r.Mutant, r.Bug, by, r.Test, r.Seconds)
	}
	return w.Flush()
}

package figure

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Report is everything that one run of the program has to say.
type Report struct {
	Environment Environment    `json:"environment"`
	Figures     []Figure       `json:"figures"`
	Details     map[string]any `json:"details"` // by measurement: its settings and all that it recorded
}

var columns = []string{"what", "measured", "target", "verdict", "remark"}

func (f Figure) cells() []string {
	return []string{f.What, f.Measured(), f.Wanted(), f.Verdict(), f.Detail}
}

// Text writes the figures as a table for a terminal.
func (r Report) Text(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(columns, "\t"))
	for _, f := range r.Figures {
		fmt.Fprintln(table, strings.Join(f.cells(), "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.Environment)
	return err
}

// Markdown writes the figures as a table for a page.
func (r Report) Markdown(w io.Writer) error {
	var b strings.Builder
	row := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	row(columns)
	row([]string{"---", "---", "---", "---", "---"})
	for _, f := range r.Figures {
		row(escaped(f.cells()))
	}
	fmt.Fprintf(&b, "\n%s\n", r.Environment)
	_, err := io.WriteString(w, b.String())
	return err
}

func escaped(cells []string) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	return out
}

// JSON writes the whole report.
func (r Report) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// String is the line below a table.
func (e Environment) String() string {
	return fmt.Sprintf("%s, %d cores, %s, %s, commit %.12s, %s, load before %s",
		e.Machine, e.Cores, e.Kernel, e.Go, e.Commit, e.Date.Format("2006-01-02 15:04 MST"), e.Load)
}

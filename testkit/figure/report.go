package figure

import (
	"encoding/json"
	"fmt"
	"io"
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

func (r Report) table() Table {
	t := Table{Columns: columns}
	for _, f := range r.Figures {
		t.Rows = append(t.Rows, f.cells())
	}
	return t
}

// Text writes the figures as a table for a terminal.
func (r Report) Text(w io.Writer) error { return r.tail(w, r.table().Text) }

// Markdown writes the figures as a table for a page.
func (r Report) Markdown(w io.Writer) error { return r.tail(w, r.table().Markdown) }

func (r Report) tail(w io.Writer, table func(io.Writer) error) error {
	if err := table(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.Environment)
	return err
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

// Result is what a measurement found: all of it for JSON, and its figures.
type Result interface {
	Figures() []Figure
}

package figure

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Table is rows of cells under the names of their columns.
type Table struct {
	Title   string // "": none
	Columns []string
	Rows    [][]string
}

// Text writes it for a terminal.
func (t Table) Text(w io.Writer) error {
	if t.Title != "" {
		fmt.Fprintf(w, "%s\n\n", t.Title)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(t.Columns, "\t"))
	for _, row := range t.Rows {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	return nil
}

// Markdown writes it for a page.
func (t Table) Markdown(w io.Writer) error {
	var b strings.Builder
	if t.Title != "" {
		fmt.Fprintf(&b, "**%s**\n\n", t.Title)
	}
	row := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	rule := make([]string, len(t.Columns))
	for i := range rule {
		rule[i] = "---"
	}
	row(t.Columns)
	row(rule)
	for _, cells := range t.Rows {
		row(escaped(cells))
	}
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

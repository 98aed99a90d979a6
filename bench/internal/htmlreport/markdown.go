package htmlreport

import (
	"fmt"
	"io"
	"strings"

	"tradechat.internal/bench/internal/realtest"
)

// Markdown writes tables, findings and pictures, which lie beside it.
func Markdown(w io.Writer, results []realtest.Result) error {
	var b strings.Builder
	b.WriteString("# Real Test\n\n")
	b.WriteString("Real load generators against real servers on one machine; `tradechat-bench real-test` measures this and `tradechat-bench report` writes it.\n")
	for _, e := range environments(results) {
		fmt.Fprintf(&b, "\n%s\n", e)
	}
	for i := range results {
		r := &results[i]
		fmt.Fprintf(&b, "\n## %s\n\n%s %s\n\n", r.Title, r.What, r.Measured())
		shown := r.Shown()
		row(&b, shown.Header)
		b.WriteString("|---" + strings.Repeat("|--:", len(shown.Header)-1) + "|\n")
		for _, cells := range shown.Rows {
			row(&b, cells)
		}
		b.WriteByte('\n')
		for _, finding := range r.Findings {
			fmt.Fprintf(&b, "- %s\n", finding)
		}
		for _, d := range r.Figures {
			fmt.Fprintf(&b, "\n![%s](%s.svg)\n", d.Title, d.Name)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func row(b *strings.Builder, cells []string) {
	for _, cell := range cells {
		b.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
	}
	b.WriteString("|\n")
}

// Package plots draws figures of tables: one table is a CSV, and what is drawn of it is a figure of one or more panels. The same
// description becomes an SVG, a PNG and a gnuplot script, so that they cannot say different things.
//
//	Table ──▶ NAME.csv ◀──────────────┐ reads
//	Figure ─▶ NAME.svg, NAME.png, NAME.gp ──▶ gnuplot ──▶ NAME-gnuplot.svg
//
//	┌───────────── title ─────────────┐
//	│  panel title      panel title   │
//	│  ■ a  ■ b         ● p50  ● p99  │   legends stand above their panels: they never lie on the data
//	│  ▌▐ ▌▐            ·──·──·       │
//	│  remark                         │
//	└─────────────────────────────────┘
//
// # Invariants
//
//   - Everything that is drawn is read from the table's cells.
//   - A value that a logarithmic axis cannot show (0: nothing was measured) is left out, and interrupts its line.
package plots

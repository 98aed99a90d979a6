package plots

import (
	"fmt"
	"image/color"
	"io"
	"strings"

	"gonum.org/v1/plot"
)

// Gnuplot writes a script that draws the figure from its CSV, for gnuplot 5.4 and later.
func (f *Figure) Gnuplot(w io.Writer) error {
	var b strings.Builder
	name := f.Table.Name
	fmt.Fprintf(&b, "# Draws %[1]s-gnuplot.svg from %[1]s.csv, which lies beside it: gnuplot %[1]s.gp\n", name)
	fmt.Fprintln(&b, "set datafile separator comma\nset datafile columnheaders")
	_, height := f.size()
	width := figureWidth
	fmt.Fprintf(&b, "set terminal svg size %.0f,%.0f font 'Liberation Sans,11' background rgb 'white'\n", width.Points()*pixelsPerPoint, height.Points()*pixelsPerPoint)
	fmt.Fprintf(&b, "set output '%s-gnuplot.svg'\n", name)
	fmt.Fprintf(&b, "set multiplot layout %d,%d title %s font ',14'\n", f.rows(), f.Columns, quoted(f.Title))
	fmt.Fprintln(&b, "set style fill solid\nset grid ytics lc rgb '#e4e4e4'\nset border 3\nset tics nomirror out\nset key outside top center horizontal")
	for i := range f.Panels {
		if err := f.Panels[i].gnuplot(&b, f.Table); err != nil {
			return fmt.Errorf("plots: %s: panel %q: %w", name, f.Panels[i].Title, err)
		}
	}
	fmt.Fprintln(&b, "unset multiplot")
	_, err := io.WriteString(w, b.String())
	return err
}

// pixelsPerPoint is how gnuplot's SVG counts.
const pixelsPerPoint = 96.0 / 72

func (p *Panel) gnuplot(b *strings.Builder, t *Table) error {
	a, err := p.axes(t)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\nset title %s\nset xlabel %s\nset ylabel %s\n", quoted(p.Title), quoted(p.XLabel), quoted(p.YLabel))
	fmt.Fprintf(b, "unset logscale\nset xrange [%g:%g]\nset yrange [%g:%g]\n", a.xLeast, a.xMost, a.yLeast, a.yMost)
	if p.Nines {
		fmt.Fprintln(b, "set logscale x 10")
	}
	if p.Log {
		fmt.Fprintln(b, "set logscale y 10")
	}
	fmt.Fprintf(b, "set xtics (%s)\nset ytics (%s)\n", tics(a.xTicks), tics(a.yTicks))
	fmt.Fprintf(b, "unset arrow\nunset label\n")
	for _, m := range p.Marks {
		fmt.Fprintf(b, "set arrow from first %[1]g, graph 0 to first %[1]g, graph 1 nohead dt 2 lc rgb '%[2]s'\n", m.X, hex(red))
		if m.Label == "" {
			continue
		}
		fmt.Fprintf(b, "set label %s at first %g, graph 0.96 offset 0.5,0 tc rgb '%s'\n", quoted(m.Label), m.X, hex(red))
	}
	if p.needsLegend() {
		fmt.Fprintln(b, "set key")
	} else {
		fmt.Fprintln(b, "unset key")
	}
	var parts []string
	for i, s := range p.Series {
		parts = append(parts, p.gnuplotSeries(t.Name, i, s)...)
	}
	fmt.Fprintf(b, "plot %s\n", strings.Join(parts, ", \\\n     "))
	return nil
}

// gnuplotSeries are the parts of a plot command that draw one series.
func (p *Panel) gnuplotSeries(name string, i int, s Series) (parts []string) {
	from := fmt.Sprintf("'%s.csv' every ::%d::%d using", name, s.Rows.First, s.Rows.First+s.Rows.Count-1)
	x, y := fmt.Sprintf("(column('%s'))", p.X), fmt.Sprintf("(column('%s'))", s.Y)
	if p.Log {
		y = fmt.Sprintf("(column('%[1]s') > 0 ? column('%[1]s') : NaN)", s.Y)
	}
	look := fmt.Sprintf("lc rgb '%s' title %s", hex(colour(s.Colour)), quoted(s.Label))
	switch p.Style {
	case Bars:
		offset, width := barAt(i, len(p.Series))
		x = fmt.Sprintf("(column('%s') + %g)", p.X, offset)
		parts = append(parts, fmt.Sprintf("%s %s:%s:(%g) with boxes %s", from, x, y, width-barGap, look))
		if s.Low != "" {
			parts = append(parts, fmt.Sprintf("%s %s:%s:(column('%s')):(column('%s')) with yerrorbars pt 0 lc rgb '%s' notitle", from, x, y, s.Low, s.High, hex(ink)))
		}
	case Dots:
		parts = append(parts, fmt.Sprintf("%s %s:%s with linespoints lw 2 pt 7 ps 0.7 %s", from, x, y, look))
	case Line:
		parts = append(parts, fmt.Sprintf("%s %s:%s with lines lw 2 %s", from, x, y, look))
	}
	return parts
}

// tics are in gnuplot's formats, in which a % is special.
func tics(ticks plot.ConstantTicks) string {
	parts := make([]string, 0, len(ticks))
	for _, tick := range ticks {
		if tick.Label != "" {
			parts = append(parts, fmt.Sprintf("%s %g", quoted(strings.ReplaceAll(tick.Label, "%", "%%")), tick.Value))
		}
	}
	return strings.Join(parts, ", ")
}

// quoted is a string of gnuplot, in which nothing is special but the quote.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

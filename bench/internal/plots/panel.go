package plots

import (
	"image/color"
	"math"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var (
	ink  = color.RGBA{0x22, 0x22, 0x22, 0xff}
	grey = color.RGBA{0x66, 0x66, 0x66, 0xff}
	pale = color.RGBA{0xe4, 0xe4, 0xe4, 0xff}
	red  = color.RGBA{0xb0, 0x00, 0x20, 0xff}
)

func sans(size font.Length, bold bool) font.Font {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = stdfont.WeightBold
	}
	return f
}

// points are those of a series that can be drawn, in runs without a gap.
func (p *Panel) points(t *Table, s Series) (runs []plotter.XYs, err error) {
	xs, err := t.numbers(p.X, s.Rows)
	if err != nil {
		return nil, err
	}
	ys, err := t.numbers(s.Y, s.Rows)
	if err != nil {
		return nil, err
	}
	var run plotter.XYs
	for i := range xs {
		if (p.Log && ys[i] <= 0) || math.IsNaN(ys[i]) {
			if len(run) > 0 {
				runs, run = append(runs, run), nil
			}
			continue
		}
		run = append(run, plotter.XY{X: xs[i], Y: ys[i]})
	}
	if len(run) > 0 {
		runs = append(runs, run)
	}
	return runs, nil
}

// plot makes the library's plot of a panel, without title and legend.
func (p *Panel) plot(t *Table) (*plot.Plot, error) {
	out := plot.New()
	dress(out)
	out.X.Label.Text, out.Y.Label.Text = p.XLabel, p.YLabel
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = pale, pale
	if p.Style == Bars {
		grid.Vertical.Color = nil
	}
	out.Add(grid)
	for i, s := range p.Series {
		if err := p.draw(out, t, i, s); err != nil {
			return nil, err
		}
	}
	for _, m := range p.Marks {
		out.Add(mark(m))
	}
	return out, p.scale(out, t)
}

func dress(out *plot.Plot) {
	for _, axis := range []*plot.Axis{&out.X, &out.Y} {
		axis.Label.TextStyle.Font, axis.Tick.Label.Font = sans(textSize, false), sans(textSize, false)
		axis.Label.TextStyle.Color, axis.Tick.Label.Color = ink, ink
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = grey, grey
		axis.Label.Padding = vg.Points(4)
		axis.Padding = 0
	}
}

func (p *Panel) draw(out *plot.Plot, t *Table, i int, s Series) error {
	runs, err := p.points(t, s)
	if err != nil {
		return err
	}
	if p.Style == Bars {
		return p.drawBars(out, t, i, s, runs)
	}
	for _, run := range runs {
		line, err := plotter.NewLine(run)
		if err != nil {
			return err
		}
		line.Color, line.Width = colour(s.Colour), vg.Points(1.6)
		out.Add(line)
		if p.Style == Dots || len(run) == 1 {
			dots, err := plotter.NewScatter(run)
			if err != nil {
				return err
			}
			dots.GlyphStyle = draw.GlyphStyle{Color: colour(s.Colour), Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
			out.Add(dots)
		}
	}
	return nil
}

// drawBars draws bars, their whiskers, and above both what they stand for.
func (p *Panel) drawBars(out *plot.Plot, t *Table, i int, s Series, runs []plotter.XYs) error {
	offset, width := barAt(i, len(p.Series))
	for _, run := range runs {
		for _, at := range run {
			left, right := at.X+offset-width/2+barGap/2, at.X+offset+width/2-barGap/2
			bar, err := plotter.NewPolygon(plotter.XYs{{X: left, Y: 0}, {X: left, Y: at.Y}, {X: right, Y: at.Y}, {X: right, Y: 0}})
			if err != nil {
				return err
			}
			bar.Color, bar.LineStyle.Width = colour(s.Colour), 0
			out.Add(bar)
		}
	}
	tops, err := p.drawWhiskers(out, t, s, offset)
	if err != nil {
		return err
	}
	texts, err := plotter.NewLabels(tops)
	if err != nil {
		return err
	}
	texts.Offset.Y = vg.Points(2)
	for i := range texts.TextStyle {
		texts.TextStyle[i].Font, texts.TextStyle[i].Color, texts.TextStyle[i].XAlign = sans(textSize-1, false), ink, draw.XCenter
	}
	out.Add(texts)
	return nil
}

// whiskers are from the least to the most of what was measured.
type whiskers struct {
	plotter.XYs
	plotter.YErrors
}

// drawWhiskers returns what a series stands for, and where its bars and whiskers end.
func (p *Panel) drawWhiskers(out *plot.Plot, t *Table, s Series, offset float64) (tops plotter.XYLabels, err error) {
	columns := [][]float64{nil, nil, nil, nil}
	low, high := s.Low, s.High
	if low == "" {
		low, high = s.Y, s.Y
	}
	for i, name := range []string{p.X, s.Y, low, high} {
		if columns[i], err = t.numbers(name, s.Rows); err != nil {
			return tops, err
		}
	}
	var w whiskers
	for i, x := range columns[0] {
		y, low, high := columns[1][i], columns[2][i], columns[3][i]
		tops.XYs, tops.Labels = append(tops.XYs, plotter.XY{X: x + offset, Y: high}), append(tops.Labels, si(y))
		if low != high { // measured more than once
			w.XYs = append(w.XYs, plotter.XY{X: x + offset, Y: y})
			w.YErrors = append(w.YErrors, struct{ Low, High float64 }{y - low, high - y})
		}
	}
	if len(w.XYs) == 0 {
		return tops, nil
	}
	bars, err := plotter.NewYErrorBars(w)
	if err != nil {
		return tops, err
	}
	bars.LineStyle.Color, bars.CapWidth = ink, vg.Points(5)
	out.Add(bars)
	return tops, nil
}

// scale sets the axes' scales, ranges and ticks.
func (p *Panel) scale(out *plot.Plot, t *Table) error {
	a, err := p.axes(t)
	if err != nil {
		return err
	}
	out.X.Min, out.X.Max, out.Y.Min, out.Y.Max = a.xLeast, a.xMost, a.yLeast, a.yMost
	out.X.Tick.Marker, out.Y.Tick.Marker = a.xTicks, a.yTicks
	if p.Nines {
		out.X.Scale = plot.LogScale{}
	}
	if p.Log {
		out.Y.Scale = plot.LogScale{}
	}
	if p.Places != "" {
		out.X.Tick.Length = 0
	}
	return nil
}

package plots

import (
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// entryGap is between two entries of a legend.
const entryGap = vg.Length(8)

// legendStyle is how the entries are written.
func legendStyle() text.Style {
	s := style(textSize, false, ink)
	s.YAlign = draw.YCenter
	return s
}

// lines breaks the entries of a legend into lines of a width.
func (p *Panel) lines(width vg.Length) (lines [][]Series) {
	var used vg.Length
	for _, s := range p.Series {
		need := entryWidth(s)
		if len(lines) == 0 || used+need > width {
			lines, used = append(lines, nil), 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], s)
		used += need
	}
	return lines
}

func entryWidth(s Series) vg.Length {
	return swatch + vg.Points(4) + legendStyle().Width(s.Label) + entryGap
}

// needsLegend says whether there is anything to tell apart.
func (p *Panel) needsLegend() bool { return len(p.Series) > 1 }

// legendHeight is the same for all panels of a row, so that their axes are beside each other.
func (f *Figure) legendHeight(i int, c draw.Canvas) vg.Length {
	most := 0
	row := i / f.Columns
	for j := row * f.Columns; j < min(len(f.Panels), (row+1)*f.Columns); j++ {
		if f.Panels[j].needsLegend() {
			most = max(most, len(f.Panels[j].lines(f.legendWidth(c))))
		}
	}
	return vg.Length(most) * legendLine
}

// legendWidth is about the width of the axes.
func (f *Figure) legendWidth(c draw.Canvas) vg.Length {
	return (c.Max.X-c.Min.X)/vg.Length(f.Columns) - axisWidth
}

// axisWidth is what a legend leaves to the labels of the y axis.
const axisWidth = vg.Length(50)

// legend draws the entries between a panel's title and its axes.
func (p *Panel) legend(axes draw.Canvas, width vg.Length) {
	if !p.needsLegend() {
		return
	}
	lines := p.lines(width)
	for i, line := range lines {
		y := axes.Max.Y + legendGap + legendLine*(vg.Length(len(lines)-1-i)+0.5)
		x := axes.Min.X
		for _, s := range line {
			axes.SetColor(colour(s.Colour))
			axes.Fill(vg.Rectangle{Min: vg.Point{X: x, Y: y - swatch/2}, Max: vg.Point{X: x + swatch, Y: y + swatch/2}}.Path())
			write(axes, s.Label, vg.Point{X: x + swatch + vg.Points(4), Y: y}, legendStyle())
			x += entryWidth(s)
		}
	}
}

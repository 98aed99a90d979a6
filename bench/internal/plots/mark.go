package plots

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mark draws an event as a dashed line over the whole height.
type mark Mark

func (m mark) Plot(c draw.Canvas, p *plot.Plot) {
	toX, _ := p.Transforms(&c)
	x := toX(m.X)
	style := draw.LineStyle{Color: red, Width: vg.Points(1.2), Dashes: []vg.Length{vg.Points(4), vg.Points(3)}}
	c.StrokeLine2(style, x, c.Min.Y, x, c.Max.Y)
	if m.Label == "" {
		return
	}
	label := text.Style{Color: red, Font: sans(textSize, true), XAlign: draw.XLeft, YAlign: draw.YTop, Handler: plot.DefaultTextHandler}
	at := vg.Point{X: x + vg.Points(4), Y: c.Max.Y - vg.Points(3)}
	c.SetColor(color.White) // so that it can be read where it lies on a line
	c.Fill(vg.Rectangle{Min: vg.Point{X: at.X - 1, Y: at.Y - label.Height(m.Label) - 2}, Max: vg.Point{X: at.X + label.Width(m.Label) + 2, Y: at.Y}}.Path())
	c.FillText(label, at, m.Label)
}

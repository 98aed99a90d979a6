package plots

import (
	"bytes"
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// svgFont is what the SVGs ask for, and what looks the same where that is not there.
const svgFont, svgFonts = "font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"

func (f *Figure) rows() int { return (len(f.Panels) + f.Columns - 1) / f.Columns }

func (f *Figure) size() (w, h vg.Length) {
	height := panelHeight
	if len(f.Panels) == 1 {
		height = aloneHeight
	}
	return figureWidth, vg.Length(f.rows())*height + headHeight + footHeight
}

// SVG writes the figure as one.
func (f *Figure) SVG(w io.Writer) error {
	width, height := f.size()
	canvas := vgsvg.New(width, height)
	if err := f.draw(draw.New(canvas)); err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return fmt.Errorf("plots: %s.svg: %w", f.Table.Name, err)
	}
	_, err := w.Write(bytes.ReplaceAll(b.Bytes(), []byte(svgFont), []byte(svgFonts)))
	return err
}

// PNG writes the figure as one.
func (f *Figure) PNG(w io.Writer) error {
	width, height := f.size()
	canvas := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(pngDPI))
	if err := f.draw(draw.New(canvas)); err != nil {
		return err
	}
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(w); err != nil {
		return fmt.Errorf("plots: %s.png: %w", f.Table.Name, err)
	}
	return nil
}

const (
	headHeight = vg.Length(26)
	footHeight = vg.Length(16)
	margin     = vg.Length(8)
	legendLine = vg.Length(14)
	legendGap  = vg.Length(6) // between the legend and the axes
	swatch     = vg.Length(8)
)

// draw draws everything on a canvas.
func (f *Figure) draw(c draw.Canvas) error {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	write(c, f.Title, vg.Point{X: c.Min.X + margin, Y: c.Max.Y - margin}, style(titleSize, true, ink))
	remark := style(remarkSize, false, grey)
	remark.YAlign = draw.YBottom
	write(c, f.Remark, vg.Point{X: c.Min.X + margin, Y: c.Min.Y + vg.Points(4)}, remark)
	inner := draw.Crop(c, 0, 0, footHeight, -headHeight)
	tiles := draw.Tiles{Cols: f.Columns, Rows: f.rows(), PadTop: 2, PadBottom: 2, PadLeft: margin, PadRight: margin, PadX: 16, PadY: 10}
	plots := make([][]*plot.Plot, f.rows())
	for i := range f.Panels {
		p, err := f.Panels[i].plot(f.Table)
		if err != nil {
			return fmt.Errorf("plots: %s: panel %q: %w", f.Table.Name, f.Panels[i].Title, err)
		}
		// Room for title and legend, which come after the aligning.
		p.Title.TextStyle.Font = sans(1, false)
		if p.Title.Text = " "; f.Panels[i].Title != "" {
			p.Title.TextStyle.Font = sans(panelSize, true)
		}
		p.Title.Padding = f.legendHeight(i, inner) + legendGap
		plots[i/f.Columns] = append(plots[i/f.Columns], p)
	}
	for row := range plots {
		for len(plots[row]) < f.Columns {
			plots[row] = append(plots[row], nil)
		}
	}
	canvases := plot.Align(plots, tiles, inner)
	for i := range f.Panels {
		row, column := i/f.Columns, i%f.Columns
		plots[row][column].Draw(canvases[row][column])
		axes := plots[row][column].DataCanvas(canvases[row][column])
		f.Panels[i].legend(axes, f.legendWidth(inner))
		title := style(panelSize, true, ink)
		title.YAlign = draw.YBottom
		write(c, f.Panels[i].Title, vg.Point{X: axes.Min.X, Y: axes.Max.Y + f.legendHeight(i, inner) + legendGap}, title)
	}
	return nil
}

func style(size vg.Length, bold bool, c color.Color) text.Style {
	return text.Style{Color: c, Font: sans(size, bold), XAlign: draw.XLeft, YAlign: draw.YTop, Handler: plot.DefaultTextHandler}
}

func write(c draw.Canvas, what string, at vg.Point, s text.Style) { c.FillText(s, at, what) }

package plots

import "gonum.org/v1/plot/vg"

const (
	// figureWidth is what a README shows without scaling.
	figureWidth = 8.9 * vg.Inch
	panelHeight = 2.9 * vg.Inch
	aloneHeight = 3.8 * vg.Inch // of the only panel

	// pngDPI makes a PNG sharp on most screens, at half its size.
	pngDPI = 160

	titleSize, panelSize, textSize, remarkSize = 13, 11, 9.5, 7.5

	// fewDecades is where a logarithmic axis needs labels between its powers of ten.
	fewDecades = 2.1

	// rounding is how far two numbers may be from each other that are meant to be the same.
	rounding = 1e-9

	// ticksMax bounds those of a linear axis.
	ticksMax = 7

	// headroom is how much higher than its highest point a panel is.
	headroom = 1.12

	// markHeadroom leaves room for what is written beside a mark.
	markHeadroom = 1.25
)

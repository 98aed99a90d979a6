package plots

import "image/color"

// Figure is what is drawn of one table.
type Figure struct {
	Title   string
	Caption string // for whoever reads it on a page
	Remark  string // small, below: machine and build
	Table   *Table
	Columns int // panels beside each other; the others go below
	Panels  []Panel
}

// Panel is one pair of axes.
type Panel struct {
	Title          string
	XLabel, YLabel string // with the unit
	X              string // column
	Places         string // column of what stands at each whole x; "": x is a number
	Nines          bool   // x is 1/(1-quantile), logarithmic, and labelled with quantiles
	Log            bool   // y
	Style          Style
	Series         []Series
	Marks          []Mark
}

// Style says how the points of a series are drawn.
type Style int

const (
	Bars Style = iota // series beside each other, from zero
	Dots              // joined
	Line
)

// Rows are some of a table's.
type Rows struct{ First, Count int }

// Series is one colour of a panel.
type Series struct {
	Label     string
	Y         string // column
	Low, High string // columns of a whisker; "": none
	Rows      Rows
	Colour    int // of the palette
}

// Mark is an event.
type Mark struct {
	X     float64
	Label string // "": a line alone
}

// palette is of colours that people with any kind of sight can tell apart (Okabe and Ito), and two more.
var palette = []color.RGBA{
	{0x00, 0x72, 0xB2, 0xff}, {0xE6, 0x9F, 0x00, 0xff}, {0x00, 0x9E, 0x73, 0xff}, {0xD5, 0x5E, 0x00, 0xff}, {0xCC, 0x79, 0xA7, 0xff},
	{0x56, 0xB4, 0xE9, 0xff}, {0x33, 0x33, 0x33, 0xff}, {0xC8, 0xB9, 0x00, 0xff}, {0x8C, 0x56, 0x4B, 0xff}, {0x99, 0x99, 0x99, 0xff},
}

func colour(i int) color.RGBA { return palette[i%len(palette)] }

// barsWidth is how much of the room between two places the bars at one of them take, all series together.
const barsWidth = 0.76

// barAt is how far from its place a series has its bar, and how wide that is.
func barAt(i, n int) (offset, width float64) {
	width = barsWidth / float64(n)
	return (float64(i) - float64(n-1)/2) * width, width
}

package plots

import (
	"errors"
	"math"

	"gonum.org/v1/plot"
)

// ErrNothing says that a panel has no point to draw.
var ErrNothing = errors.New("nothing to draw")

// barGap is between two bars at one place.
const barGap = 0.03

// axes are the ranges and ticks of a panel: both the drawing here and gnuplot's use them.
type axes struct {
	xLeast, xMost, yLeast, yMost float64
	xTicks, yTicks               plot.ConstantTicks
}

func (p *Panel) axes(t *Table) (a axes, err error) {
	a = axes{xLeast: math.Inf(1), xMost: math.Inf(-1), yLeast: math.Inf(1), yMost: math.Inf(-1)}
	for _, s := range p.Series {
		runs, err := p.points(t, s)
		if err != nil {
			return a, err
		}
		for _, run := range runs {
			for _, at := range run {
				a.xLeast, a.xMost = min(a.xLeast, at.X), max(a.xMost, at.X)
				a.yLeast, a.yMost = min(a.yLeast, at.Y), max(a.yMost, at.Y)
			}
		}
		if s.High != "" {
			highs, err := t.numbers(s.High, s.Rows)
			if err != nil {
				return a, err
			}
			for _, high := range highs {
				a.yMost = max(a.yMost, high)
			}
		}
	}
	if math.IsInf(a.xLeast, 1) {
		return a, ErrNothing
	}
	a.rangeY(p)
	return a, a.rangeX(p, t)
}

func (a *axes) rangeY(p *Panel) {
	if p.Log {
		a.yLeast, a.yMost = logRange(a.yLeast, a.yMost)
		if a.yLeast == a.yMost {
			a.yMost *= 10
		}
		a.yTicks = logTicks(a.yLeast, a.yMost)
		return
	}
	room := headroom
	if len(p.Marks) > 0 {
		room = markHeadroom
	}
	a.yLeast, a.yMost = 0, a.yMost*room
	if a.yMost <= 0 {
		a.yMost = 1 // a panel of zeros
	}
	a.yTicks = linearTicks(a.yLeast, a.yMost)
}

func (a *axes) rangeX(p *Panel, t *Table) error {
	switch {
	case p.Places != "":
		places, err := p.places(t)
		if err != nil {
			return err
		}
		a.xLeast, a.xMost, a.xTicks = -0.5, float64(len(places))-0.5, placeTicks(places)
	case p.Nines:
		a.xLeast, a.xMost = 1, max(a.xMost, 10)
		a.xTicks = nineTicks(a.xLeast, a.xMost)
	default:
		a.xLeast = min(a.xLeast, 0)
		if a.xMost <= a.xLeast {
			a.xMost = a.xLeast + 1
		}
		a.xTicks = linearTicks(a.xLeast, a.xMost)
	}
	return nil
}

// places are what stands at 0, 1, 2 …
func (p *Panel) places(t *Table) (places []string, err error) {
	for _, s := range p.Series {
		xs, err := t.numbers(p.X, s.Rows)
		if err != nil {
			return nil, err
		}
		texts, err := t.texts(p.Places, s.Rows)
		if err != nil {
			return nil, err
		}
		for i, x := range xs {
			for len(places) <= int(x) {
				places = append(places, "")
			}
			places[int(x)] = texts[i]
		}
	}
	return places, nil
}

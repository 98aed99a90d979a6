package plots

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// si writes 142000 as "142k".
func si(v float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= unit.size {
			return short(v/unit.size) + unit.name
		}
	}
	return short(v)
}

// short is a number with three significant digits, below one with two.
func short(v float64) string {
	precision := 3
	if math.Abs(v) < 1 {
		precision = 2
	}
	text := strconv.FormatFloat(v, 'g', precision, 64)
	if strings.Contains(text, "e") {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return text
}

// linearTicks are at whole multiples of 1, 2 or 5 times a power of ten, at most ticksMax of them.
func linearTicks(least, most float64) (ticks []plot.Tick) {
	step := roundUp((most - least) / ticksMax)
	for i := int(math.Ceil(least/step - rounding)); float64(i)*step <= most*(1+rounding); i++ {
		ticks = append(ticks, plot.Tick{Value: float64(i) * step, Label: si(float64(i) * step)})
	}
	return ticks
}

// logTicks label the powers of ten, and 2 and 5 between them where there are few.
func logTicks(least, most float64) (ticks []plot.Tick) {
	few := math.Log10(most/least) <= fewDecades
	for exponent := math.Floor(math.Log10(least)); exponent <= math.Ceil(math.Log10(most)); exponent++ {
		for digit := 1; digit <= 9; digit++ {
			v := float64(digit) * math.Pow(10, exponent)
			if v < least*(1-rounding) || v > most*(1+rounding) {
				continue
			}
			tick := plot.Tick{Value: v}
			if digit == 1 || few && (digit == 2 || digit == 5) {
				tick.Label = si(v)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// logRange widens a range to what looks whole on a logarithmic axis: one, two or five times a power of ten.
func logRange(least, most float64) (float64, float64) {
	return roundDown(least), roundUp(most)
}

func roundUp(v float64) float64 { return 1 / roundDown(1/v) }

func roundDown(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)*(1+math.Copysign(1e-12, math.Log10(v)))))
	for _, digit := range []float64{5, 2} {
		if v >= digit*power*(1-rounding) {
			return digit * power
		}
	}
	return power
}

// nineTicks label 1/(1-quantile) with the quantile: 90 % at 10, 99 % at 100.
func nineTicks(_, most float64) []plot.Tick {
	ticks := []plot.Tick{{Value: 1, Label: "0 %"}, {Value: 2, Label: "50 %"}}
	for nines, v := 1, 10.0; v <= most*(1+rounding); nines, v = nines+1, v*10 {
		label := "90 %"
		if nines > 1 {
			label = "99 %"
		}
		if nines > 2 {
			label = "99." + strings.Repeat("9", nines-2) + " %"
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: label})
	}
	return ticks
}

// placeTicks name the places.
func placeTicks(places []string) plot.ConstantTicks {
	ticks := make(plot.ConstantTicks, len(places))
	for i, place := range places {
		ticks[i] = plot.Tick{Value: float64(i), Label: place}
	}
	return ticks
}

// Package sample sums up repeated measurements. Machines drift between speeds, so what is compared is measured in turns
// (A B A B) and summed up as the ratios of neighbours: the drift is in both.
package sample

import (
	"errors"
	"fmt"
	"slices"
)

// ErrUnpaired reports measurements that cannot be compared one to one.
var ErrUnpaired = errors.New("measurements do not pair up")

// Spread is the middle and the ends of a set of values.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Count  int     `json:"count"`
}

// Of sums up values; none give the zero Spread.
func Of(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	return Spread{Median: median(sorted), Min: sorted[0], Max: sorted[len(sorted)-1], Count: len(sorted)}
}

func median(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// PairedRatios returns a[i] / b[i] for each i. ErrUnpaired if the numbers of values differ or a divisor is not positive.
func PairedRatios(a, b []float64) ([]float64, error) {
	if len(a) != len(b) {
		return nil, fmt.Errorf("%w: %d and %d of them", ErrUnpaired, len(a), len(b))
	}
	ratios := make([]float64, len(a))
	for i := range a {
		if b[i] <= 0 {
			return nil, fmt.Errorf("%w: divisor %v in pair %d", ErrUnpaired, b[i], i)
		}
		ratios[i] = a[i] / b[i]
	}
	return ratios, nil
}

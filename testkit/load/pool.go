package load

import (
	"slices"
	"sort"
)

// Pool puts the distributions of several loads together, as if they had been one.
func Pool(distributions ...[]Percentile) (pooled []Percentile) {
	if len(distributions) == 1 {
		return distributions[0]
	}
	var values []float64
	var total float64
	for _, d := range distributions {
		for _, p := range d {
			values = append(values, p.Ms)
		}
		if len(d) > 0 {
			last := d[len(d)-1]
			total += last.Count / last.Quantile
		}
	}
	slices.Sort(values)
	for _, ms := range slices.Compact(values) {
		var count float64
		for _, d := range distributions {
			count += countUpTo(d, ms)
		}
		if quantile := count / total; quantile < 1 {
			pooled = append(pooled, Percentile{Quantile: quantile, Ms: ms, Count: count, OneIn: 1 / (1 - quantile)})
		}
	}
	return pooled
}

// countUpTo is how many latencies of a distribution are not above a value, along straight lines between its points.
func countUpTo(d []Percentile, ms float64) float64 {
	i := sort.Search(len(d), func(i int) bool { return d[i].Ms > ms })
	switch {
	case i == 0:
		return 0
	case i == len(d):
		return d[i-1].Count
	}
	a, b := d[i-1], d[i]
	return a.Count + (b.Count-a.Count)*(ms-a.Ms)/(b.Ms-a.Ms)
}

// Slower is the share, 0 … 1, of the requests of a distribution that took longer than ms.
func Slower(distribution []Percentile, ms float64) float64 {
	share := 1.0
	if len(distribution) == 0 {
		return 0
	}
	for _, p := range distribution {
		if p.Ms <= ms {
			share = min(share, 1-p.Quantile)
		}
	}
	return share
}

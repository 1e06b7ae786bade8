package main

import (
	"fmt"
	"slices"
)

// quantile is the q-th quantile of x, between two neighbours in proportion; 0 of nothing.
func quantile(x []float64, q float64) float64 {
	if len(x) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(x))
	at := q * float64(len(s)-1)
	i := int(at)
	j := min(i+1, len(s)-1)
	return s[i] + (at-float64(i))*(s[j]-s[i])
}

func median(x []float64) float64 { return quantile(x, 0.5) }

// all are the seconds of all steps of all turns.
func (t timing) all() []float64 {
	var list []float64
	for _, n := range t.Turns {
		list = append(list, n.Seconds...)
	}
	return list
}

// peak is the median of the turns' largest resident sets.
func (t timing) peak() int64 {
	var list []float64
	for _, n := range t.Turns {
		list = append(list, float64(n.Peak))
	}
	return int64(median(list))
}

// speeds are the bytes read a processor second, in 1e9, of each turn.
func (t timing) speeds() []float64 {
	var list []float64
	for _, n := range t.Turns {
		list = append(list, n.Bytes/n.CPU/1e9)
	}
	return list
}

// ratio is the time of a to that of b: the median over repetitions of the ratios of their medians, so that what slows the
// machine for a while slows both.
func ratio(a, b timing) float64 {
	var list []float64
	for i := range min(len(a.Turns), len(b.Turns)) {
		list = append(list, median(a.Turns[i].Seconds)/median(b.Turns[i].Seconds))
	}
	return median(list)
}

// ms is a time in milliseconds with three digits.
func ms(seconds float64) string {
	switch v := 1e3 * seconds; {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

package topk

import (
	"cmp"
	"slices"
)

// topk is the definition of Run for one row: a stable sort, cut off.
func topk[T float32 | float64](values []T, classes []int32, p []T) {
	order := make([]int32, len(p))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		return cmp.Compare(p[b], p[a]) // cmp holds NaN to be below every number, and 0 equal to −0
	})
	copy(classes, order)
	for i, class := range classes {
		values[i] = p[class]
	}
}

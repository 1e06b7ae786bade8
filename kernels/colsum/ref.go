package colsum

// colsum is the definition of Run, summed in float64. T is float32 on the reference device and float64
// where a test compares with differences.
func colsum[T float32 | float64](sum, x []T, rows, ld int, add bool) {
	for n := range sum {
		total := 0.0
		for r := range rows {
			total += float64(x[r*ld+n])
		}
		if add {
			total += float64(sum[n])
		}
		sum[n] = T(total)
	}
}

package dropout

import "avcu/engine"

// reference is the definition of Forward and Backward over rows lx and ly elements apart, computed in
// float64 and rounded to T once. T is float32 on the reference device and float64 where a test compares
// with golden values.
func reference[T float32 | float64](m engine.Mask, x []T, lx int, y []T, ly, rows, cols int, add bool) {
	for r := range rows {
		for c := range cols {
			v := float64(x[r*lx+c]) * m.Factor(r, c)
			if add {
				v += float64(y[r*ly+c])
			}
			y[r*ly+c] = T(v)
		}
	}
}

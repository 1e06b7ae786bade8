package adam

import (
	"math"

	"avcu/engine"
)

// update is the definition of Update, computed in float64 and rounded to T once a value. T is float32
// on the reference device and float64 where a test compares with golden values.
func update[T float32 | float64](w, g, m, v []T, scale float32, s *engine.Step) {
	b1, b2 := s.Beta1, s.Beta2
	for i := range w {
		gi := float64(scale) * float64(g[i])
		mi := b1*float64(m[i]) + (1-b1)*gi
		vi := b2*float64(v[i]) + (1-b2)*gi*gi
		m[i], v[i] = T(mi), T(vi)
		w[i] = T(float64(w[i]) - s.Rate*mi/(math.Sqrt(vi)+s.Epsilon))
	}
}

package activation

import "math"

// forward is the definition of Forward, computed in float64. T is float32 on the reference device and
// float64 where a test compares with golden values.
func forward[T float32 | float64](k Kind, y, x []T) {
	for i := range y {
		v := float64(x[i])
		switch k {
		case Tanh:
			v = math.Tanh(v)
		case ReLU:
			if v < 0 {
				v = 0
			}
		case Sigmoid:
			v = sigmoid(v)
		}
		y[i] = T(v)
	}
}

// sigmoid is 1/(1+e⁻ˣ) without overflow, so that very negative x keep their relative precision.
func sigmoid(x float64) float64 {
	e := math.Exp(-math.Abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

// backward is the definition of Backward.
func backward[T float32 | float64](k Kind, gx, y, gy []T, add bool) {
	for i := range gx {
		v, g := float64(y[i]), float64(gy[i])
		switch k {
		case Tanh:
			g *= (1 - v) * (1 + v)
		case ReLU:
			if v <= 0 {
				g = 0
			} else if v != v {
				g = v
			}
		case Sigmoid:
			g *= v * (1 - v)
		}
		if add {
			g += float64(gx[i])
		}
		gx[i] = T(g)
	}
}

package shift

import "math"

// unit holds the errors that float32 arithmetic may make in one unit (b, i).
type unit struct {
	kappa         float64 // length of α·v and β over that of u: what is lost where they cancel
	y             float64 // in an element of y, beside what norm's relative error makes
	gv            float64 // in an element of gv
	galpha, gbeta float64 // in the unit's part of the two sums
}

// relative is the error of norm, and of y through it: rounded squares in sums of 32 and one of eight
// lanes, and the rounding of α·v + β.
func (u unit) relative() float64 { return 1e-6 * (1 + u.kappa/4) }

// unitOf is the bounds of a unit, for which gu = norm·(h − C·norm²·Σ(h·u)·u). The two terms have no more
// than the length of h, and each is known to a few roundings of that, more where u itself has cancelled.
// Rows of gy are ldy apart.
func unitOf[T float](s size, v, alpha, beta, norm, gy []T, ldy, b, i int) unit {
	a, c, n := math.Abs(float64(alpha[i])), math.Abs(float64(beta[i])), float64(norm[b*s.units+i])
	largest, lengthV, lengthG, ones := c, 0.0, 0.0, math.Sqrt(float64(s.d))
	for k := range s.d {
		x, g := float64(v[(b*s.units+i)*s.d+k]), float64(gy[b*ldy+i*s.d+k])
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return unit{} // what is not NaN is 0
		}
		largest = math.Max(largest, a*math.Abs(x)+c)
		lengthV += x * x
		lengthG += g * g
	}
	lengthV, lengthG = math.Sqrt(lengthV), math.Sqrt(lengthG)
	u := unit{kappa: largest * n * math.Sqrt(float64(s.units)), y: 1.2e-7 * largest * n}
	gu := 5e-7 * (1 + u.kappa) * n * lengthG
	u.gv, u.galpha, u.gbeta = gu*a, gu*lengthV, gu*ones
	return u
}

package shift

import (
	"math"

	"avcu/engine"
)

const epsilon = 1e-12 // of fluid's norm operator, added to the sum of squares

type float interface{ float32 | float64 }

// forward is the definition of Forward; rows of y are ldy apart.
func forward[T float](s size, mask engine.Mask, v, alpha, beta, y []T, ldy int, norm []T) {
	for b := range s.b {
		for i := range s.units {
			row := v[(b*s.units+i)*s.d:][:s.d]
			squares := 0.0
			for _, x := range row {
				u := float64(alpha[i])*float64(x) + float64(beta[i])
				squares += u * u
			}
			n := 1 / (math.Sqrt(squares+epsilon) * math.Sqrt(float64(s.units)))
			norm[b*s.units+i] = T(n)
			for k, x := range row {
				u := float64(alpha[i])*float64(x) + float64(beta[i])
				y[b*ldy+i*s.d+k] = T(u * n * mask.Factor(b, i*s.d+k))
			}
		}
	}
}

// backward is the definition of Backward.
func backward[T float](s size, mask engine.Mask, v, alpha, beta, norm, gy []T, ldy int, gv, galpha, gbeta []T, add bool) {
	g, u := make([]float64, s.d), make([]float64, s.d)
	for i := range s.units {
		ga, gb := 0.0, 0.0
		if add {
			ga, gb = float64(galpha[i]), float64(gbeta[i])
		}
		for b := range s.b {
			at, dot, n := (b*s.units+i)*s.d, 0.0, float64(norm[b*s.units+i])
			for k := range s.d {
				g[k] = float64(gy[b*ldy+i*s.d+k]) * mask.Factor(b, i*s.d+k)
				u[k] = float64(alpha[i])*float64(v[at+k]) + float64(beta[i])
				dot += g[k] * u[k]
			}
			for k := range s.d {
				gu := n*g[k] - u[k]*float64(s.units)*n*n*n*dot
				gv[at+k] = T(float64(alpha[i]) * gu)
				ga += gu * float64(v[at+k])
				gb += gu
			}
		}
		galpha[i], gbeta[i] = T(ga), T(gb)
	}
}

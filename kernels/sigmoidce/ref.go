package sigmoidce

import "math"

type float interface{ float32 | float64 }

// loss is the definition of Loss; gz may be nil.
func loss[T float](b, k int, z []T, ldz int, offsets, labels []int32, each, gz []T, ldg int, scale float64) {
	label := make([]bool, k)
	for r := range b {
		clear(label)
		for _, c := range labels[offsets[r]:offsets[r+1]] {
			label[c] = true
		}
		sum := 0.0
		for c := range k {
			x := float64(z[r*ldz+c])
			if label[c] {
				sum += softplus(-x)
			} else {
				sum += softplus(x)
			}
			if gz != nil {
				gz[r*ldg+c] = T(minus(x, label[c]) * scale)
			}
		}
		each[r] = T(sum)
	}
}

// softplus is log(1 + eˣ). Max(z,0) − z·t + log(1 + exp(−|z|)) is softplus(z) for t = 0 and softplus(−z)
// for t = 1, with its limits where z is infinite.
func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// minus is σ(x) − t without cancellation, for t = 1 (label) or 0.
func minus(x float64, label bool) float64 {
	if label {
		return -sigmoid(-x)
	}
	return sigmoid(x)
}

func sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

func prob[T float](b, k int, z []T, ldz int, p []T, ldp int) {
	for r := range b {
		for c := range k {
			p[r*ldp+c] = T(sigmoid(float64(z[r*ldz+c])))
		}
	}
}

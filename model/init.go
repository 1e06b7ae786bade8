package model

import (
	"math"
	"math/rand/v2"
)

// Initialiser draws the first values of a parameter.
type Initialiser func(r *rand.Rand, out []float32)

// Normal draws from a normal distribution around 0.
func Normal(std float64) Initialiser {
	return func(r *rand.Rand, out []float32) {
		for i := range out {
			out[i] = float32(r.NormFloat64() * std)
		}
	}
}

// Uniform draws evenly between -bound and bound.
func Uniform(bound float64) Initialiser {
	return func(r *rand.Rand, out []float32) {
		for i := range out {
			out[i] = float32((2*r.Float64() - 1) * bound)
		}
	}
}

// MSRANormal is He et al.'s initialiser (arXiv 1502.01852): standard deviation √(2/fanIn).
func MSRANormal(fanIn int) Initialiser { return Normal(math.Sqrt(2 / float64(fanIn))) }

// MSRAUniform is its uniform form: ±√(6/fanIn).
func MSRAUniform(fanIn int) Initialiser { return Uniform(math.Sqrt(6 / float64(fanIn))) }

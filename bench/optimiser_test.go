package bench

import (
	"testing"

	"avcu/engine"
	"avcu/kernels/adam"
	"avcu/kernels/norm"
)

// parameters are how many the published model has, and some others.
var parameters = []struct {
	name string
	n    int
}{{"published", 57_820_054}, {"primes", 1_000_003}, {"small", 1009}}

const adamFLOP = 12 // operations of Adam for one parameter, a root and a quotient among them

func adamStep(m, v engine.Tensor) *engine.Step {
	return &engine.Step{M: m, V: v, Rate: adam.Rate(1e-3, 0.9, 0.999, 3), Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
}

// BenchmarkAdam is an update from gradients in memory.
func BenchmarkAdam(b *testing.B) {
	var calls []call
	for _, p := range parameters {
		calls = append(calls, call{p.name + "/step", adamFLOP * float64(p.n), 28 * float64(p.n), func(r *room) func() error {
			w, g, s := r.normal(0.1, p.n), r.normal(0.1, p.n), adamStep(r.normal(0.1, p.n), r.positive(0, 0.1, p.n))
			return func() error { return adam.Update(r.Device(), w, g, s, engine.Tensor{}) }
		}})
	}
	run(b, devices(b), calls)
}

// BenchmarkNorm is the norm of all gradients, which is only read.
func BenchmarkNorm(b *testing.B) {
	var calls []call
	for _, p := range parameters {
		calls = append(calls, call{p.name + "/clip", 2 * float64(p.n), 4 * float64(p.n), func(r *room) func() error {
			g, out := r.normal(0.1, p.n), r.empty(2)
			return func() error { return norm.Run(r.Device(), g, out, 1) }
		}})
	}
	run(b, devices(b), calls)
}

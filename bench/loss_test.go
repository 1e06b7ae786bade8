package bench

import (
	"math/rand/v2"
	"testing"

	"avcu/engine"
	"avcu/kernels/sigmoidce"
	"avcu/kernels/softmaxce"
	"avcu/kernels/topk"
)

// logits of the published model, of Flash-MNIST's, of one video, and others.
var logits = []matrix{{"published", 256, 3862}, {"flash", 256, 1024}, {"one-video", 1, 3862}, primes, small}

type lossFunc func(d engine.Device, z, offsets, labels, each, gz engine.Tensor, scale float32) error

// BenchmarkSigmoidCE is the loss of classes that do not exclude each other: with its gradient as in training, without as in
// evaluation, and the probabilities.
func BenchmarkSigmoidCE(b *testing.B) { lossCalls(b, 3, sigmoidce.Loss, sigmoidce.Prob) }

// BenchmarkSoftmaxCE is the same of classes that do.
func BenchmarkSoftmaxCE(b *testing.B) { lossCalls(b, 1, softmaxce.Loss, softmaxce.Prob) }

func lossCalls(b *testing.B, labels int, loss lossFunc, prob func(d engine.Device, z, p engine.Tensor) error) {
	var calls []call
	for _, m := range logits {
		of := func(gradient bool) func(r *room) func() error {
			return func(r *room) func() error {
				z, each, gz := m.normal(r), r.empty(m.rows), engine.Tensor{}
				offsets, classes := r.labels(m.rows, labels, m.cols)
				if gradient {
					gz = m.empty(r)
				}
				return func() error { return loss(r.Device(), z, offsets, classes, each, gz, 1/float32(m.rows)) }
			}
		}
		calls = append(calls, m.call("gradient", 8, of(true)), m.call("forward", 4, of(false)), m.call("probabilities", 8, func(r *room) func() error {
			z, p := m.normal(r), m.empty(r)
			return func() error { return prob(r.Device(), z, p) }
		}))
	}
	run(b, devices(b), calls)
}

// BenchmarkTopK is the highest classes of each video, as many as evaluation ranks: of random scores, and of rising ones, where
// each is higher than all before.
func BenchmarkTopK(b *testing.B) {
	var calls []call
	for _, m := range logits {
		k := min(20, m.cols)
		of := func(make func(r *room) engine.Tensor) func(r *room) func() error {
			return func(r *room) func() error {
				p, values, classes := make(r), r.empty(m.rows, k), r.Tensor(engine.Int32, m.rows, k)
				return func() error { return topk.Run(r.Device(), p, values, classes) }
			}
		}
		calls = append(calls, m.call("forward", 4, of(m.normal)), m.call("rising", 4, of(func(r *room) engine.Tensor {
			i := 0
			return write(r, m.empty(r), func(*rand.Rand) float32 { i++; return float32(i % m.cols) })
		})))
	}
	run(b, devices(b), calls)
}

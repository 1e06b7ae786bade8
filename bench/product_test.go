package bench

import (
	"testing"

	"avcu/engine"
	"avcu/kernels/product"
)

// A layer is a linear layer y = act(x·W + b) over so many rows.
type layer struct {
	name          string
	rows, in, out int
	act           product.Activation
	below         product.Activation // of the layer whose outputs x are
	unpadded      bool               // rows of W are not whole vectors
}

var layers = []layer{
	// The published model with a batch of 256, and Flash-MNIST's classifier.
	{name: "fc1", rows: 256, in: 36864, out: 1024, act: product.Tanh},
	{name: "fc2", rows: 256, in: 1024, out: 4096, act: product.Tanh, below: product.Tanh},
	{name: "logistic", rows: 256, in: 4096, out: 3862, below: product.Tanh},
	{name: "flash", rows: 256, in: 1600, out: 1024},
	// The extractor's two convolutions on 64 images.
	{name: "conv1", rows: 64 * 14 * 14, in: 25, out: 32, act: product.ReLU, unpadded: true},
	{name: "conv2", rows: 64 * 7 * 7, in: 9 * 32, out: 64, act: product.ReLU, below: product.ReLU},
	// One video; primes; what is too small to share.
	{name: "one-row", rows: 1, in: 1024, out: 4096, act: product.Tanh, below: product.Tanh},
	{name: "primes", rows: 251, in: 1009, out: 397, act: product.Tanh, below: product.Tanh, unpadded: true},
	{name: "small", rows: 31, in: 257, out: 193, act: product.Tanh, below: product.Tanh, unpadded: true},
	{name: "tiny", rows: 3, in: 7, out: 5, act: product.ReLU, below: product.ReLU, unpadded: true},
}

// BenchmarkProduct is the matrix products of a layer: forward; the gradient of its input, with the derivative of the
// activation below; that of its weights; and the same where Adam takes it.
func BenchmarkProduct(b *testing.B) {
	var calls []call
	for _, l := range layers {
		calls = append(calls, l.forward(), l.inputGradient(), l.weightGradient(), l.step())
	}
	run(b, devicesBF16(b), calls)
}

// ld is how far the rows of weights are apart.
func (l layer) ld() int {
	if l.unpadded {
		return l.out
	}
	return (l.out + 15) / 16 * 16
}

// call is one product of the layer, which moves so many floats.
func (l layer) call(name string, floats int, setup func(r *room) product.Call) call {
	return call{l.name + "/" + name, 2 * float64(l.rows) * float64(l.in) * float64(l.out), 4 * float64(floats), func(r *room) func() error {
		c := setup(r)
		return func() error { return product.Run(r.Device(), c) }
	}}
}

func (l layer) forward() call {
	return l.call("forward", l.rows*l.in+l.in*l.out+l.out+l.rows*l.out, func(r *room) product.Call {
		return product.Call{A: r.normal(0.1, l.rows, l.in), B: r.padded(l.ld(), 0.1, l.in, l.out), Bias: r.normal(0.1, l.out),
			C: r.empty(l.rows, l.out), Act: l.act}
	})
}

func (l layer) inputGradient() call {
	floats := l.rows*l.out + l.in*l.out + l.rows*l.in
	if l.below != product.Identity {
		floats += l.rows * l.in
	}
	return l.call("input-gradient", floats, func(r *room) product.Call {
		c := product.Call{TransB: true, A: r.normal(0.1, l.rows, l.out), B: r.padded(l.ld(), 0.1, l.in, l.out), C: r.empty(l.rows, l.in)}
		if l.below != product.Identity {
			c.Act, c.Y = l.below, r.normal(0.5, l.rows, l.in)
		}
		return c
	})
}

func (l layer) weightGradient() call {
	return l.call("weight-gradient", l.rows*l.in+l.rows*l.out+l.in*l.out, func(r *room) product.Call {
		return product.Call{TransA: true, A: r.normal(0.1, l.rows, l.in), B: r.normal(0.1, l.rows, l.out),
			C: r.Padded(engine.Float32, l.ld(), l.in, l.out)}
	})
}

// step moves weights and moments there and back, and no gradient.
func (l layer) step() call {
	c := l.call("weight-step", l.rows*l.in+l.rows*l.out+6*l.in*l.out, func(r *room) product.Call {
		weights := func() engine.Tensor { return r.padded(l.ld(), 0.1, l.in, l.out) }
		return product.Call{TransA: true, A: r.normal(0.1, l.rows, l.in), B: r.normal(0.1, l.rows, l.out), C: weights(),
			Sink: engine.Sink{Step: adamStep(weights(), r.positive(l.ld(), 0.1, l.in, l.out))}}
	})
	c.flop += adamFLOP * float64(l.in) * float64(l.out)
	return c
}

package bench

import (
	"testing"

	"avcu/engine"
	"avcu/kernels/activation"
	"avcu/kernels/colsum"
	"avcu/kernels/dequantise"
	"avcu/kernels/dropout"
	"avcu/kernels/gather"
)

// A matrix is what an elementwise kernel runs over.
type matrix struct {
	name       string
	rows, cols int
}

var primes, small = matrix{"primes", 251, 1009}, matrix{"small", 3, 7}

// call is a kernel that moves so many bytes an element.
func (m matrix) call(name string, bytes int, setup func(r *room) func() error) call {
	return call{m.name + "/" + name, 0, float64(bytes) * float64(m.rows*m.cols), setup}
}

func (m matrix) normal(r *room) engine.Tensor { return r.normal(1, m.rows, m.cols) }
func (m matrix) empty(r *room) engine.Tensor  { return r.empty(m.rows, m.cols) }

// BenchmarkActivation is the activations by themselves; a step has most of them inside products.
func BenchmarkActivation(b *testing.B) {
	var calls []call
	for _, m := range []matrix{{"fc2", 256, 4096}, primes, small} {
		for _, k := range []activation.Kind{activation.Tanh, activation.ReLU, activation.Sigmoid} {
			calls = append(calls, m.call(k.String()+"/forward", 8, func(r *room) func() error {
				x, y := m.normal(r), m.empty(r)
				return func() error { return activation.Forward(r.Device(), k, x, y) }
			}), m.call(k.String()+"/gradient", 12, func(r *room) func() error {
				y, gy, gx := m.normal(r), m.normal(r), m.empty(r)
				return func() error { return activation.Backward(r.Device(), k, y, gy, gx, engine.Sink{}) }
			}))
		}
	}
	run(b, devices(b), calls)
}

// BenchmarkColsum is the gradients of biases: of the layers, and of the units' scores for all frames.
func BenchmarkColsum(b *testing.B) {
	var calls []call
	for _, m := range []matrix{{"fc1", 256, 1024}, {"fc2", 256, 4096}, {"logistic", 256, 3862}, {"scores", 25600, 32}, primes, small} {
		c := m.call("gradient", 4, func(r *room) func() error {
			x, sum := m.normal(r), r.empty(m.cols)
			return func() error { return colsum.Run(r.Device(), x, sum, engine.Sink{}) }
		})
		c.flop = float64(m.rows * m.cols)
		calls = append(calls, c)
	}
	run(b, devices(b), calls)
}

// BenchmarkDequantise is features as floats, which only attention scored by two layers needs.
func BenchmarkDequantise(b *testing.B) {
	var calls []call
	for _, m := range []matrix{{"rgb", 25600, 1024}, {"flash", 6400, 50}, primes, small} {
		calls = append(calls, m.call("forward", 5, func(r *room) func() error {
			q, x := r.bytes(m.rows, m.cols), m.empty(r)
			return func() error { return dequantise.Run(r.Device(), q, x, -2, 2) }
		}))
	}
	run(b, devices(b), calls)
}

// BenchmarkDropout is dropout by itself; a step has it inside the shifting operation.
func BenchmarkDropout(b *testing.B) {
	var calls []call
	train, evaluation := engine.Mask{Rate: 0.5, Train: true, Seed: 1}, engine.Mask{Rate: 0.5}
	for _, m := range []matrix{{"representation", 256, 36864}, primes, small} {
		forward := func(mask engine.Mask) func(r *room) func() error {
			return func(r *room) func() error {
				x, y := m.normal(r), m.empty(r)
				return func() error { return dropout.Forward(r.Device(), mask, x, y) }
			}
		}
		calls = append(calls, m.call("forward", 8, forward(train)), m.call("evaluation", 8, forward(evaluation)), m.call("gradient", 8, func(r *room) func() error {
			gy, gx := m.normal(r), m.empty(r)
			return func() error { return dropout.Backward(r.Device(), train, gy, gx, engine.Sink{}) }
		}))
	}
	run(b, devices(b), calls)
}

// BenchmarkGather is the windows of the extractor's convolutions on 64 images.
func BenchmarkGather(b *testing.B) {
	var calls []call
	for _, c := range []struct {
		name                            string
		images, height, width, channels int
		window                          gather.Window
	}{
		{"conv1", 64, 28, 28, 1, gather.Window{Height: 5, Width: 5, Stride: 2, Pad: 2}},
		{"conv2", 64, 14, 14, 32, gather.Window{Height: 3, Width: 3, Stride: 2, Pad: 1}},
		{"primes", 3, 31, 37, 7, gather.Window{Height: 3, Width: 2, Stride: 1, Pad: 1}},
	} {
		x := []int{c.images, c.height, c.width, c.channels}
		cols := []int{c.images, c.window.Out(c.height, c.window.Height), c.window.Out(c.width, c.window.Width), c.window.Height * c.window.Width * c.channels}
		bytes := 4 * float64(x[0]*x[1]*x[2]*x[3]+cols[0]*cols[1]*cols[2]*cols[3])
		calls = append(calls, call{c.name + "/forward", 0, bytes, func(r *room) func() error {
			x, cols := r.normal(1, x...), r.empty(cols...)
			return func() error { return gather.Columns(r.Device(), c.window, x, cols) }
		}}, call{c.name + "/gradient", 0, bytes, func(r *room) func() error {
			gcols, gx := r.normal(1, cols...), r.empty(x...)
			return func() error { return gather.Back(r.Device(), c.window, gcols, gx, engine.Sink{}) }
		}})
	}
	run(b, devices(b), calls)
}

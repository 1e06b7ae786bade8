package product

import (
	"math"

	"avcu/engine/host"
)

// float is what the reference computes on: float32 on the device, float64 where tests take
// differences.
type float interface{ float32 | float64 }

// matrix is a row-major matrix with rows ld apart.
type matrix[T float] struct {
	data []T
	ld   int
}

func (m matrix[T]) at(i, j int) float64 { return float64(m.data[i*m.ld+j]) }

// problem is a Call on slices.
type problem[T float] struct {
	sizes
	a, b, c        matrix[T]
	transA, transB bool
	bf16           bool // a and b are rounded
	bias           []T
	act            Activation
	y              matrix[T]
	add            bool
	step           func(i int, g float64) // of element i of c.data, in place of storing
}

// run is the definition of Run, in float64.
func (p problem[T]) run() {
	for i := range p.m {
		for j := range p.n {
			sum := 0.0
			for k := range p.k {
				x, y := 0.0, 0.0
				if p.transA {
					x = p.a.at(k, i)
				} else {
					x = p.a.at(i, k)
				}
				if p.transB {
					y = p.b.at(j, k)
				} else {
					y = p.b.at(k, j)
				}
				if p.bf16 {
					x, y = host.RoundBF16(x), host.RoundBF16(y)
				}
				sum += x * y
			}
			p.finish(i, j, sum)
		}
	}
}

func (p problem[T]) finish(i, j int, sum float64) {
	if p.bias != nil {
		sum += float64(p.bias[j])
	}
	switch {
	case p.y.data != nil && p.act == Tanh:
		sum *= 1 - p.y.at(i, j)*p.y.at(i, j)
	case p.y.data != nil && p.act == ReLU:
		if !(p.y.at(i, j) > 0) {
			sum *= 0
		}
	case p.y.data != nil:
	case p.act == Tanh:
		sum = math.Tanh(sum)
	case p.act == ReLU && sum < 0:
		sum = 0
	}
	at := i*p.c.ld + j
	if p.step != nil {
		p.step(at, sum)
		return
	}
	if p.add {
		sum += float64(p.c.data[at])
	}
	p.c.data[at] = T(sum)
}

func runRef(c Call, s sizes, bf16 bool) {
	p := problem[float32]{
		sizes: s, transA: c.TransA, transB: c.TransB, bf16: bf16, act: c.Act, add: c.Sink.Add,
		a: matrix[float32]{host.Slice[float32](c.A), c.A.LD()},
		b: matrix[float32]{host.Slice[float32](c.B), c.B.LD()},
		c: matrix[float32]{host.Slice[float32](c.C), c.C.LD()},
	}
	if !c.Bias.IsZero() {
		p.bias = host.Slice[float32](c.Bias)
	}
	if !c.Y.IsZero() {
		p.y = matrix[float32]{host.Slice[float32](c.Y), c.Y.LD()}
	}
	if o := c.Sink.Step; o != nil {
		m, v := host.Slice[float32](o.M), host.Slice[float32](o.V)
		p.step = func(i int, g float64) {
			// The gradient is rounded as if it had been stored.
			g = float64(float32(g))
			mi := o.Beta1*float64(m[i]) + (1-o.Beta1)*g
			vi := o.Beta2*float64(v[i]) + (1-o.Beta2)*g*g
			m[i], v[i] = float32(mi), float32(vi)
			p.c.data[i] = float32(float64(p.c.data[i]) - o.Rate*mi/(math.Sqrt(vi)+o.Epsilon))
		}
	}
	p.run()
}

// Package product is the matrix product of the engine, with what follows it in a network fused into
// its end: bias and activation forward, the activation's derivative and the optimiser's step backward.
package product

import (
	"fmt"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
)

// Activation is what a product's result goes through.
type Activation uint8

const (
	Identity Activation = iota
	Tanh
	ReLU
)

// Call is one product:
//
//	C = sink(act(op(A)·op(B) + Bias))      without Y
//	C = sink((op(A)·op(B)) ⊙ act'(Y))      with Y
//
// for op(A) [M,K], op(B) [K,N] and C [M,N], float32. A tensor of any rank is a matrix whose rows are
// all dimensions but the last; rows may be padded. On host devices with BF16, elements of A and B are
// rounded to bfloat16. An element's bits depend on its row of op(A), its column of op(B) and the
// widths K and N alone, not on M or the number of threads.
//
// A processor with AMX multiplies float32 in three pieces of bfloat16 where K and N are at least 48:
// no less exact than fused multiply-adds of float32, but denormal numbers count as zero, and beside
// what is not finite an element may have other bits than without it.
//
// With a step in Sink, C is a parameter and the product its gradient: Adam updates C and its moments,
// whose rows must lie as C's, and no gradient is written. The bits are those of storing the gradient
// and calling adam.Update.
type Call struct {
	TransA, TransB bool // op is the transpose
	A, B, C        engine.Tensor
	Bias           engine.Tensor // [N], optional
	Act            Activation
	Y              engine.Tensor // [M,N], optional: outputs of Act; act' is 1−y² for Tanh, y > 0 for ReLU
	Sink           engine.Sink
}

// Run makes the call.
func Run(d engine.Device, c Call) error {
	s, err := c.sizes()
	if err != nil {
		return err
	}
	switch d := d.(type) {
	case *host.Ref:
		runRef(c, s, d.BF16())
		return nil
	case *host.CPU:
		runCPU(d, c, s)
		return nil
	case *cuda.Device:
		return runCUDA(d, c, s)
	}
	return engine.Unsupported(d, "product")
}

type sizes struct{ m, n, k int }

func (c *Call) sizes() (sizes, error) {
	for i, t := range [...]engine.Tensor{c.A, c.B, c.C} {
		if t.IsZero() || t.Type() != engine.Float32 {
			return sizes{}, fmt.Errorf("product: %c is %v, want a float32 matrix", 'A'+i, t)
		}
	}
	s := sizes{m: c.A.Rows(), k: c.A.Cols(), n: c.B.Cols()}
	if c.TransA {
		s.m, s.k = s.k, s.m
	}
	kb := c.B.Rows()
	if c.TransB {
		s.n, kb = kb, s.n
	}
	if kb != s.k || c.C.Rows() != s.m || c.C.Cols() != s.n {
		return s, fmt.Errorf("product: A %v (transposed: %v) and B %v (transposed: %v) do not make C %v", c.A, c.TransA, c.B, c.TransB, c.C)
	}
	if !c.Bias.IsZero() {
		if err := c.Bias.Check("product", "bias", engine.Float32, s.n); err != nil {
			return s, err
		}
	}
	if !c.Y.IsZero() && (c.Y.Type() != engine.Float32 || c.Y.Rows() != s.m || c.Y.Cols() != s.n || !c.Bias.IsZero()) {
		return s, fmt.Errorf("product: Y is %v, want outputs shaped as C %v, and no bias beside it", c.Y, c.C)
	}
	if p := c.Sink.Step; p != nil {
		for _, t := range [...]engine.Tensor{p.M, p.V} {
			if !t.SameShape(c.C) || t.LD() != c.C.LD() {
				return s, fmt.Errorf("product: a moment is %v with rows %d apart, the parameter %v with rows %d apart", t, t.LD(), c.C, c.C.LD())
			}
		}
	}
	return s, nil
}

// Package ops holds the differentiable operations that models are made of, one a file: what runs
// forward, and the closure that is its gradient. An op is recorded on a tape once, at the largest
// batch, and replayed with at most that many rows; it holds no arithmetic of its own, which is in
// kernels.
package ops

import (
	"avcu/engine"
	"avcu/kernels/activation"
	"avcu/kernels/colsum"
	"avcu/kernels/product"
)

// Dense describes a linear layer.
type Dense struct {
	Weights *engine.Var // [in, out], or [out, in] with Rows
	Bias    *engine.Var // [out], or nil
	Rows    bool        // a unit's weights are a row, as in a 1×1 convolution
	Act     Activation
}

// Linear computes y = act(x·W + b) over the last dimension of x.
//
// Gradient: gz = gy ⊙ act'(y), gx = gz·Wᵀ, gW = xᵀ·gz, gb = Σ gz over rows. Saved: y. Where x is itself
// the output of an activation that only this layer reads, gx is multiplied by that activation's
// derivative in the product's epilogue.
func Linear(t *engine.Tape, name string, x *engine.Var, d Dense) *engine.Var {
	out := d.Weights.Value.Dim(1)
	if d.Rows {
		out = d.Weights.Value.Dim(0)
	}
	dims := x.Value.Dims()
	dims[len(dims)-1] = out
	inputs := []*engine.Var{x, d.Weights, d.Bias}
	make := t.Value
	if len(dims) == 2 { // frames of videos stay side by side
		make = t.Rows
	}
	y := make(name, inputs, dims...)
	if d.Act != Identity {
		y.OfferFold(uint8(d.Act))
	}
	x.AcceptFold()

	forward := func(p *engine.Pass) error {
		c := product.Call{A: rows(x.Value, p), B: d.Weights.Value, TransB: d.Rows, C: rows(y.Value, p), Act: d.Act}
		if d.Bias != nil {
			c.Bias = d.Bias.Value
		}
		return product.Run(t.Device(), c)
	}
	backward := func(p *engine.Pass) error {
		gy := rows(y.Grad, p)
		if err := beforeActivation(t.Device(), y, d.Act, p); err != nil {
			return err
		}
		// x first: a step taken with W's gradient changes W.
		if x.NeedsGrad() {
			c := product.Call{A: gy, B: d.Weights.Value, TransB: !d.Rows, C: rows(x.Grad, p), Sink: x.Sink()}
			if kind := x.Folded(); kind != 0 {
				c.Act, c.Y = Activation(kind), rows(x.Value, p)
			}
			if err := product.Run(t.Device(), c); err != nil {
				return err
			}
			p.Done("input gradient")
		}
		if d.Bias != nil && d.Bias.NeedsGrad() {
			if err := colsum.Run(t.Device(), gy, d.Bias.Grad, d.Bias.Sink()); err != nil {
				return err
			}
			p.Done("bias gradient")
		}
		if d.Weights.NeedsGrad() {
			return weightsGradient(t.Device(), rows(x.Value, p), gy, d)
		}
		return nil
	}
	t.Record(name, inputs, forward, backwardIf(y, backward))
	return y
}

func weightsGradient(dev engine.Device, x, gy engine.Tensor, d Dense) error {
	c := product.Call{TransA: true, A: x, B: gy, Sink: d.Weights.StepSink()}
	if d.Rows {
		c.A, c.B = gy, x
	}
	c.C = d.Weights.Grad
	if c.Sink.Step != nil {
		c.C = d.Weights.Value
	}
	return product.Run(dev, c)
}

// beforeActivation turns y.Grad into the gradient before the activation, unless y's consumer has
// delivered that already.
func beforeActivation(dev engine.Device, y *engine.Var, act Activation, p *engine.Pass) error {
	if act == Identity || y.Folded() != 0 {
		return nil
	}
	kind := activation.Tanh
	if act == ReLU {
		kind = activation.ReLU
	}
	gy := rows(y.Grad, p)
	return activation.Backward(dev, kind, rows(y.Value, p), gy, gy, engine.Sink{})
}

// rows is the part of a batch's tensor that this pass uses.
func rows(t engine.Tensor, p *engine.Pass) engine.Tensor { return t.Prefix(p.Rows) }

// backwardIf is the closure where y has a gradient, else none.
func backwardIf(y *engine.Var, f func(*engine.Pass) error) func(*engine.Pass) error {
	if !y.NeedsGrad() {
		return nil
	}
	return f
}

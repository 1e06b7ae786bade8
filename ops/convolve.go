package ops

import (
	"avcu/engine"
	"avcu/kernels/colsum"
	"avcu/kernels/gather"
	"avcu/kernels/product"
)

// Convolve is a small two-dimensional convolution with an activation: x [B,H,W,C], weights
// [KH·KW·C, O] and bias [O] give y [B,OH,OW,O] = act(columns(x)·W + b), where columns gathers each
// window of x into a row.
//
// Gradient: gz = gy ⊙ act'(y), gW = columnsᵀ·gz, gb = Σ gz, gx = the windows of gz·Wᵀ added back into
// place. Saved: the columns and y.
func Convolve(t *engine.Tape, name string, x *engine.Var, w Window, weights, bias *engine.Var, act Activation) *engine.Var {
	b, h, wd, c, out := x.Value.Dim(0), x.Value.Dim(1), x.Value.Dim(2), x.Value.Dim(3), weights.Value.Dim(1)
	oh, ow := w.Out(h, w.Height), w.Out(wd, w.Width)
	inputs := []*engine.Var{x, weights, bias}
	y := t.Value(name, inputs, b, oh, ow, out)
	if act != Identity {
		y.OfferFold(uint8(act))
	}
	cols := t.Scratch(engine.Float32, b, oh, ow, w.Height*w.Width*c)
	forward := func(p *engine.Pass) error {
		if err := gather.Columns(t.Device(), w, rows(x.Value, p), rows(cols, p)); err != nil {
			return err
		}
		return product.Run(t.Device(), product.Call{A: rows(cols, p), B: weights.Value, C: rows(y.Value, p), Bias: bias.Value, Act: act})
	}
	if !y.NeedsGrad() {
		t.Record(name, inputs, forward, nil)
		return y
	}
	d := Dense{Weights: weights, Bias: bias, Act: act}
	var gcols engine.Tensor
	if x.NeedsGrad() {
		gcols = t.Scratch(engine.Float32, b, oh, ow, w.Height*w.Width*c)
	}
	t.Record(name, inputs, forward, func(p *engine.Pass) error {
		if err := beforeActivation(t.Device(), y, act, p); err != nil {
			return err
		}
		gy := rows(y.Grad, p)
		if x.NeedsGrad() {
			g := product.Call{A: gy, B: weights.Value, TransB: true, C: rows(gcols, p)}
			if err := product.Run(t.Device(), g); err != nil {
				return err
			}
			if err := gather.Back(t.Device(), w, rows(gcols, p), rows(x.Grad, p), x.Sink()); err != nil {
				return err
			}
		}
		if err := colsum.Run(t.Device(), gy, bias.Grad, bias.Sink()); err != nil {
			return err
		}
		return weightsGradient(t.Device(), rows(cols, p), gy, d)
	})
	return y
}

// Reshape is x with other dimensions, the first of them still the batch: the same memory, no work.
func Reshape(x *engine.Var, dims ...int) *engine.Var {
	y := &engine.Var{Name: x.Name, Value: x.Value.Reshape(dims...)}
	if x.NeedsGrad() {
		y.Grad = x.Grad.Reshape(dims...)
	}
	return y
}

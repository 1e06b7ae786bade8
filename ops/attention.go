package ops

import (
	"avcu/engine"
	"avcu/kernels/attention"
	"avcu/kernels/colsum"
)

// Attend pools the frames of x [B,L,D] by C attention units, each scored by one linear layer (paper,
// equations 3 to 5): s = x·Wᵀ + c with W [C,D] and c [C], a = softmax of s over the frames,
// v[b,i,:] = Σ_l a[b,l,i]·x[b,l,:]. It returns v [B,C,D] and the weights a [B,L,C]. Uint8 features are
// dequantised on the way.
//
// Gradient: gs = a·(x·gv − Σ_l a·(x·gv)), gW = Σ gsᵀ·x, gc = Σ gs; gx for float32 x that wants one.
// Saved: a.
func Attend(t *engine.Tape, name string, x, w, c *engine.Var) (v *engine.Var, weights engine.Tensor) {
	b, l, d, units := x.Value.Dim(0), x.Value.Dim(1), x.Value.Dim(2), w.Value.Dim(0)
	inputs := []*engine.Var{x, w, c}
	v = t.Value(name, inputs, b, units, d)
	a := t.Scratch(engine.Float32, b, l, units)
	forward := func(p *engine.Pass) error {
		return attention.Forward(t.Device(), rows(x.Value, p), w.Value, c.Value, rows(a, p), rows(v.Value, p))
	}
	if !v.NeedsGrad() {
		t.Record(name, inputs, forward, nil)
		return v, a
	}
	scores := t.Scratch(engine.Float32, b, l, units)
	t.Record(name, inputs, forward, func(p *engine.Pass) error {
		gs := rows(scores, p)
		if w.NeedsGrad() {
			if err := attention.Backward(t.Device(), rows(x.Value, p), rows(a, p), rows(v.Grad, p), gs, w.Grad, w.Sink()); err != nil {
				return err
			}
		} else if err := attention.BackwardScores(t.Device(), rows(x.Value, p), rows(a, p), rows(v.Grad, p), gs); err != nil {
			return err
		}
		p.Done("score and weight gradient")
		if c.NeedsGrad() {
			if err := colsum.Run(t.Device(), gs, c.Grad, c.Sink()); err != nil {
				return err
			}
		}
		if x.NeedsGrad() {
			return attention.BackwardFeatures(t.Device(), w.Value, rows(a, p), gs, rows(v.Grad, p), rows(x.Grad, p), x.Sink())
		}
		return nil
	})
	return v, a
}

// Pool is Attend with scores [B,L,C] that were computed before, by two layers.
//
// Gradient: of the scores, as in Attend; of float32 x that wants one, its part through the pooling.
// Saved: the weights.
func Pool(t *engine.Tape, name string, x, scores *engine.Var) (v *engine.Var, weights engine.Tensor) {
	b, d, units := x.Value.Dim(0), x.Value.Dim(2), scores.Value.Dim(2)
	inputs := []*engine.Var{x, scores}
	v = t.Value(name, inputs, b, units, d)
	// The weights take the scores' place: nobody needs those afterwards.
	a := scores.Value
	forward := func(p *engine.Pass) error {
		return attention.Pool(t.Device(), rows(x.Value, p), rows(a, p), rows(v.Value, p))
	}
	backward := func(p *engine.Pass) error {
		if scores.Sink().Add {
			panic("ops: the scores of attention have a second reader")
		}
		gs := rows(scores.Grad, p)
		if err := attention.BackwardScores(t.Device(), rows(x.Value, p), rows(a, p), rows(v.Grad, p), gs); err != nil {
			return err
		}
		if x.NeedsGrad() {
			return attention.BackwardFeatures(t.Device(), engine.Tensor{}, rows(a, p), gs, rows(v.Grad, p), rows(x.Grad, p), x.Sink())
		}
		return nil
	}
	t.Record(name, inputs, forward, backwardIf(v, backward))
	return v, a
}

package ops

import (
	"fmt"

	"avcu/engine"
	"avcu/kernels/shift"
)

// Cluster is the pooled features of one modality and the parameters of its shifting operation.
type Cluster struct {
	Pooled      *engine.Var // [B,C,D]
	Alpha, Beta *engine.Var // [C]
}

// Represent makes the global representation [B,F] of the videos (paper, section 3.2): of each unit
// u = α·v + β, scaled to length 1/√C, units one after another, modalities one after another, and
// dropout of this rate over all of it, in fluid's convention downgrade_in_infer.
//
// Gradient: of v, α and β; the mask is drawn again. Saved: the reciprocal lengths [B,C].
func Represent(t *engine.Tape, name string, clusters []Cluster, rate float64, layer uint32) *engine.Var {
	width := 0
	var inputs []*engine.Var
	for _, c := range clusters {
		width += c.Pooled.Value.Dim(1) * c.Pooled.Value.Dim(2)
		inputs = append(inputs, c.Pooled, c.Alpha, c.Beta)
	}
	b := clusters[0].Pooled.Value.Dim(0)
	y := t.Value(name, inputs, b, width)
	from := 0
	for m, c := range clusters {
		units, d := c.Pooled.Value.Dim(1), c.Pooled.Value.Dim(2)
		recordShift(t, fmt.Sprintf("%s%d", name, m), c, y, from, from+units*d, rate, layer)
		from += units * d
	}
	return y
}

// recordShift records one modality, which fills columns from … to-1 of y.
func recordShift(t *engine.Tape, name string, c Cluster, y *engine.Var, from, to int, rate float64, layer uint32) {
	v := c.Pooled
	b, units := v.Value.Dim(0), v.Value.Dim(1)
	norm := t.Scratch(engine.Float32, b, units)
	mask := func(p *engine.Pass) engine.Mask {
		m := engine.Mask{Rate: rate, Train: t.Training(), Seed: p.Seed, Step: p.Step, Layer: layer, First: p.First, Column: from}
		if !p.Given.IsZero() {
			m.Given = p.Given.Columns(from, to)
		}
		return m
	}
	forward := func(p *engine.Pass) error {
		return shift.Forward(t.Device(), rows(v.Value, p), c.Alpha.Value, c.Beta.Value,
			rows(y.Value, p).Columns(from, to), rows(norm, p), mask(p))
	}
	inputs := []*engine.Var{v, c.Alpha, c.Beta}
	if !y.NeedsGrad() {
		t.Record(name, inputs, forward, nil)
		return
	}
	if !v.NeedsGrad() || !c.Alpha.NeedsGrad() || !c.Beta.NeedsGrad() {
		panic("ops: the shifting operation learns all of its inputs or none")
	}
	work := t.Scratch(engine.Float32, 2, b, units)
	t.Record(name, inputs, forward, func(p *engine.Pass) error {
		if v.Sink().Add || c.Alpha.Value.Dim(0) != units {
			panic("ops: pooled features have a second reader")
		}
		add := c.Alpha.Sink()
		c.Beta.Sink()
		part := work.Reshape(2*b*units).Prefix(2*p.Rows*units).Reshape(2, p.Rows, units)
		return shift.Backward(t.Device(), rows(v.Value, p), c.Alpha.Value, c.Beta.Value, rows(norm, p),
			rows(y.Grad, p).Columns(from, to), rows(v.Grad, p), c.Alpha.Grad, c.Beta.Grad, part, mask(p), add)
	})
}

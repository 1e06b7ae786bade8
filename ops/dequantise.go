package ops

import (
	"avcu/engine"
	"avcu/kernels/dequantise"
)

// Dequantise turns uint8 features into float32, x = q·(hi−lo)/255 + (hi−lo)/512 + lo. It has no
// gradient: features are data.
func Dequantise(t *engine.Tape, name string, q *engine.Var, lo, hi float64) *engine.Var {
	x := t.Value(name, nil, q.Value.Dims()...)
	t.Record(name, []*engine.Var{q}, func(p *engine.Pass) error {
		return dequantise.Run(t.Device(), rows(q.Value, p), rows(x.Value, p), lo, hi)
	}, nil)
	return x
}

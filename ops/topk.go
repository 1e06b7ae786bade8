package ops

import (
	"avcu/engine"
	"avcu/kernels/topk"
)

// TopK finds the k largest of each row of x [B,K], highest first, equal ones with the lower class
// first: values float32 [B,k] and classes int32 [B,k].
func TopK(t *engine.Tape, x *engine.Var, k int) (values, classes engine.Tensor) {
	b := x.Value.Dim(0)
	values, classes = t.Scratch(engine.Float32, b, k), t.Scratch(engine.Int32, b, k)
	t.Record("top-k", nil, func(p *engine.Pass) error {
		return topk.Run(t.Device(), rows(x.Value, p), rows(values, p), rows(classes, p))
	}, nil)
	return values, classes
}

package ops

import (
	"avcu/engine"
	"avcu/kernels/sigmoidce"
	"avcu/kernels/softmaxce"
)

// LossKind is how classes exclude each other.
type LossKind uint8

const (
	Sigmoid LossKind = iota // any set of classes: Σ of binary cross-entropies
	Softmax                 // exactly one class: softmax cross-entropy
)

// Labels are the classes of each video of a batch, sparse: those of video b are
// Classes[Offsets[b]:Offsets[b+1]].
type Labels struct {
	Offsets engine.Tensor // int32 [B+1]
	Classes engine.Tensor // int32, as many as there may be
}

// CrossEntropy computes the loss of each video, [B], from logits [B,K]. It is the end of a graph: in
// training the same pass writes the gradient of the mean loss over the effective batch to logits.Grad.
func CrossEntropy(t *engine.Tape, kind LossKind, logits *engine.Var, labels Labels) (each engine.Tensor) {
	each = t.Scratch(engine.Float32, logits.Value.Dim(0))
	loss := sigmoidce.Loss
	if kind == Softmax {
		loss = softmaxce.Loss
	}
	forward := func(p *engine.Pass) error {
		var gz engine.Tensor
		if logits.NeedsGrad() {
			gz = rows(logits.Grad, p)
		}
		return loss(t.Device(), rows(logits.Value, p), labels.Offsets.Prefix(p.Rows+1), labels.Classes, rows(each, p),
			gz, float32(1/float64(p.Batch)))
	}
	t.Record("loss", []*engine.Var{logits}, forward, backwardIf(logits, func(*engine.Pass) error {
		if logits.Sink().Add {
			panic("ops: logits have a reader besides the loss")
		}
		return nil
	}))
	return each
}

// Probabilities are the sigmoid of each logit, or the softmax of each row. They have no gradient.
func Probabilities(t *engine.Tape, kind LossKind, logits *engine.Var) *engine.Var {
	prob := sigmoidce.Prob
	if kind == Softmax {
		prob = softmaxce.Prob
	}
	y := t.Rows("probabilities", nil, logits.Value.Dims()...)
	t.Record("probabilities", nil, func(p *engine.Pass) error {
		return prob(t.Device(), rows(logits.Value, p), rows(y.Value, p))
	}, nil)
	return y
}

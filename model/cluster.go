// Package model is Attention Cluster (Long et al., "Attention Clusters: Purely Attention Based Local
// Feature Integration for Video Classification", arXiv 1711.09550) as a graph of ops: its parameters
// under the names that Paddle's implementation gave them, their initialisers, and the graphs for
// training and evaluation.
package model

import (
	"fmt"
	"math"

	"avcu/engine"
	"avcu/ops"
)

// Features are quantised linearly between these two values.
const (
	FeatureMin = -2.0
	FeatureMax = 2.0
)

// Modality is one kind of local features, such as rgb or audio.
type Modality struct {
	Name  string
	Dim   int // width D of a frame's features
	Units int // attention units C
}

// Spec is the shape of a model.
type Spec struct {
	Modalities      []Modality
	Frames          int   // L, sampled from each video
	Hidden          []int // widths of the tanh layers before the classifier; none: one linear layer
	Classes         int   // K
	Loss            ops.LossKind
	DropRate        float64
	AttentionHidden int // width of a tanh layer inside attention scoring; 0: none
}

// Width is F, the length of the representation of a video.
func (s Spec) Width() int {
	f := 0
	for _, m := range s.Modalities {
		f += m.Units * m.Dim
	}
	return f
}

// Decls are the parameters of the model in the order of the forward pass.
func (s Spec) Decls() []Decl {
	var list []Decl
	add := func(name string, shape []int, init Initialiser) {
		d := Decl{Name: name, Shape: shape, Matrix: shape, Init: init}
		if len(shape) == 4 {
			d.Matrix = shape[:2]
		}
		list = append(list, d)
	}
	for i, m := range s.Modalities {
		at := fmt.Sprintf("satt%d.", i)
		fan := m.Dim
		if h := s.AttentionHidden; h > 0 {
			add(at+"hidden.weight", []int{h, m.Dim, 1, 1}, MSRANormal(m.Dim))
			add(at+"hidden.bias", []int{h}, MSRAUniform(h))
			fan = h
		}
		add(at+"conv.weight", []int{m.Units, fan, 1, 1}, MSRANormal(fan))
		add(at+"conv.bias", []int{m.Units}, MSRAUniform(m.Units))
		shift := Normal(1 / math.Sqrt(math.Sqrt(float64(m.Units))))
		add(at+"shift_w", []int{m.Units}, shift)
		add(at+"shift_b", []int{m.Units}, shift)
	}
	in := s.Width()
	dense := func(name string, out int, bias Initialiser) {
		add(name+".weights", []int{in, out}, MSRANormal(in))
		list[len(list)-1].Pad = true
		add(name+".bias", []int{out}, bias)
		in = out
	}
	for i, out := range s.Hidden {
		dense(fmt.Sprintf("fc%d", i+1), out, MSRAUniform(out))
	}
	dense("logistic", s.Classes, MSRANormal(s.Classes))
	return list
}

// Graph is the model recorded on a tape. All tensors have room for the whole batch; a run uses the
// first Pass.Rows rows of each.
type Graph struct {
	Tape      *engine.Tape
	Vars      map[string]*engine.Var // parameters
	Features  []*engine.Var          // uint8 [B,L,D], one a modality
	Labels    ops.Labels
	Attention []engine.Tensor // weights [B,L,C], one a modality
	Pooled    []*engine.Var   // [B,C,D], one a modality
	Rep       *engine.Var     // [B,F], after dropout
	Hidden    []*engine.Var   // outputs of fc1, fc2, …
	Logits    *engine.Var     // [B,K]
	Each      engine.Tensor   // loss of each video [B], where there are labels
	Prob      *engine.Var     // [B,K]; not in training, as the next two
	TopValues engine.Tensor   // [B,k] highest probabilities, highest first
	TopClass  engine.Tensor   // [B,k] their classes
}

// Dropout of the representation is the first layer that draws.
const dropoutLayer = 0

// Build records the model for batches of up to batch videos. A training graph ends at the loss; the
// others have probabilities and their topk highest. Without labelled there is no loss, and labels are
// not looked at.
func (s Spec) Build(t *engine.Tape, p *Params, batch, topk int, labelled bool) *Graph {
	g := &Graph{Tape: t, Vars: p.Vars(t.Training())}
	var clusters []ops.Cluster
	for i, m := range s.Modalities {
		x := t.Input(m.Name, engine.Uint8, batch, s.Frames, m.Dim)
		g.Features = append(g.Features, x)
		v, a := s.attend(t, fmt.Sprintf("satt%d", i), x, g.Vars)
		g.Attention = append(g.Attention, a)
		g.Pooled = append(g.Pooled, v)
		at := fmt.Sprintf("satt%d.", i)
		clusters = append(clusters, ops.Cluster{Pooled: v, Alpha: g.Vars[at+"shift_w"], Beta: g.Vars[at+"shift_b"]})
	}
	g.Rep = ops.Represent(t, "representation", clusters, s.DropRate, dropoutLayer)
	x := g.Rep
	for i := range s.Hidden {
		x = s.dense(t, fmt.Sprintf("fc%d", i+1), x, g.Vars, ops.Tanh)
		g.Hidden = append(g.Hidden, x)
	}
	g.Logits = s.dense(t, "logistic", x, g.Vars, ops.Identity)
	if labelled {
		g.Labels = ops.Labels{
			Offsets: t.Scratch(engine.Int32, batch+1),
			Classes: t.Scratch(engine.Int32, batch*s.Classes),
		}
		g.Each = ops.CrossEntropy(t, s.Loss, g.Logits, g.Labels)
	}
	if !t.Training() {
		g.Prob = ops.Probabilities(t, s.Loss, g.Logits)
		g.TopValues, g.TopClass = ops.TopK(t, g.Prob, min(topk, s.Classes))
	}
	return g
}

// attend scores and pools one modality.
func (s Spec) attend(t *engine.Tape, name string, x *engine.Var, vars map[string]*engine.Var) (*engine.Var, engine.Tensor) {
	w, c := vars[name+".conv.weight"], vars[name+".conv.bias"]
	if s.AttentionHidden == 0 {
		return ops.Attend(t, name, x, w, c)
	}
	f := ops.Dequantise(t, name+".dequantise", x, FeatureMin, FeatureMax)
	h := ops.Linear(t, name+".hidden", f, ops.Dense{
		Weights: vars[name+".hidden.weight"], Bias: vars[name+".hidden.bias"], Rows: true, Act: ops.Tanh})
	scores := ops.Linear(t, name+".conv", h, ops.Dense{Weights: w, Bias: c, Rows: true})
	return ops.Pool(t, name, x, scores)
}

func (s Spec) dense(t *engine.Tape, name string, x *engine.Var, vars map[string]*engine.Var, act ops.Activation) *engine.Var {
	return ops.Linear(t, name, x, ops.Dense{Weights: vars[name+".weights"], Bias: vars[name+".bias"], Act: act})
}

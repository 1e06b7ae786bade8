package bench

import (
	"testing"

	"avcu/engine"
	"avcu/kernels/attention"
	"avcu/kernels/shift"
)

// A modality is features of so many videos, and the attention units that look at them.
type modality struct {
	name                         string
	videos, frames, width, units int
}

var modalities = []modality{
	// The published model with a batch of 256, and Flash-MNIST's.
	{"rgb", 256, 100, 1024, 32},
	{"audio", 256, 100, 128, 32},
	{"flash", 256, 25, 50, 32},
	// One video; few frames; primes; what is too small to share.
	{"one-video", 1, 100, 1024, 32},
	{"few-frames", 256, 7, 1024, 32},
	{"primes", 61, 97, 131, 17},
	{"small", 5, 7, 131, 3},
}

// products is the operations of so many products of all features with something for each unit.
func (m modality) products(n int) float64 {
	return 2 * float64(n) * float64(m.videos) * float64(m.frames) * float64(m.width) * float64(m.units)
}

func (m modality) features() float64 { return float64(m.videos * m.frames * m.width) } // x, uint8: a byte each
func (m modality) scores() float64   { return 4 * float64(m.videos*m.frames*m.units) } // bytes of a, gs
func (m modality) pooled() float64   { return 4 * float64(m.videos*m.units*m.width) }  // bytes of v, gv
func (m modality) weights() float64  { return 4 * float64(m.units*m.width) }           // bytes of w, gw

func (m modality) x(r *room) engine.Tensor { return r.bytes(m.videos, m.frames, m.width) }
func (m modality) w(r *room) engine.Tensor { return r.normal(0.03, m.units, m.width) }
func (m modality) v(r *room) engine.Tensor { return r.normal(1, m.videos, m.units, m.width) }
func (m modality) a(r *room) engine.Tensor { return r.positive(0, 0.01, m.videos, m.frames, m.units) }

// BenchmarkAttention is what a training step calls of a modality; pooling by scores that two layers made; and the gradient
// of float32 features, for attention on top of other layers.
func BenchmarkAttention(b *testing.B) {
	var calls []call
	for _, m := range modalities {
		calls = append(calls, m.forward(), m.pool(), m.gradient(), m.scoreGradient(), m.weightGradient(), m.featureGradient())
	}
	run(b, devices(b), calls)
}

func (m modality) forward() call {
	return call{m.name + "/forward", m.products(2), m.features() + m.weights() + m.scores() + m.pooled(), func(r *room) func() error {
		x, w, c, a, v := m.x(r), m.w(r), r.normal(0.1, m.units), r.empty(m.videos, m.frames, m.units), r.empty(m.videos, m.units, m.width)
		return func() error { return attention.Forward(r.Device(), x, w, c, a, v) }
	}}
}

// pool is called again with the weights that it returned as scores, which is as much work.
func (m modality) pool() call {
	return call{m.name + "/pool", m.products(1), m.features() + 2*m.scores() + m.pooled(), func(r *room) func() error {
		x, a, v := m.x(r), m.a(r), r.empty(m.videos, m.units, m.width)
		return func() error { return attention.Pool(r.Device(), x, a, v) }
	}}
}

// gradient is both of the next two, which may share what they read.
func (m modality) gradient() call {
	bytes := m.features() + 2*m.scores() + m.pooled() + m.weights()
	return call{m.name + "/gradient", m.products(2), bytes, func(r *room) func() error {
		x, a, gv, gs, gw := m.x(r), m.a(r), m.v(r), r.empty(m.videos, m.frames, m.units), r.empty(m.units, m.width)
		return func() error { return attention.Backward(r.Device(), x, a, gv, gs, gw, engine.Sink{}) }
	}}
}

func (m modality) scoreGradient() call {
	return call{m.name + "/score-gradient", m.products(1), m.features() + 2*m.scores() + m.pooled(), func(r *room) func() error {
		x, a, gv, gs := m.x(r), m.a(r), m.v(r), r.empty(m.videos, m.frames, m.units)
		return func() error { return attention.BackwardScores(r.Device(), x, a, gv, gs) }
	}}
}

func (m modality) weightGradient() call {
	return call{m.name + "/weight-gradient", m.products(1), m.features() + m.scores() + m.weights(), func(r *room) func() error {
		x, gs, gw := m.x(r), m.a(r), r.empty(m.units, m.width)
		return func() error { return attention.BackwardWeights(r.Device(), x, gs, gw, engine.Sink{}) }
	}}
}

func (m modality) featureGradient() call {
	bytes := m.weights() + 2*m.scores() + m.pooled() + 4*m.features()
	return call{m.name + "/feature-gradient", m.products(2), bytes, func(r *room) func() error {
		w, a, gs, gv, gx := m.w(r), m.a(r), m.a(r), m.v(r), r.empty(m.videos, m.frames, m.width)
		return func() error { return attention.BackwardFeatures(r.Device(), w, a, gs, gv, gx, engine.Sink{}) }
	}}
}

// BenchmarkShift is the shifting operation with norm and dropout, into its columns of a representation that is wider.
func BenchmarkShift(b *testing.B) {
	var calls []call
	for _, m := range modalities {
		calls = append(calls, m.shift("forward", engine.Mask{Rate: 0.5, Train: true, Seed: 1}), m.shift("evaluation", engine.Mask{Rate: 0.5}), m.shiftGradient())
	}
	run(b, devices(b), calls)
}

// columns is a modality's part of the representation, of standard deviation std.
func (m modality) columns(r *room, std float64) engine.Tensor {
	width := m.units * m.width
	return r.normal(std, m.videos, width+128).Columns(0, width)
}

// shift takes an operation for α·v and one for + β, two for the square, one each for scale and mask.
func (m modality) shift(name string, mask engine.Mask) call {
	return call{m.name + "/" + name, 6 * m.pooled() / 4, 2 * m.pooled(), func(r *room) func() error {
		v, alpha, beta, norm, y := m.v(r), r.normal(1, m.units), r.normal(1, m.units), r.empty(m.videos, m.units), m.columns(r, 0)
		return func() error { return shift.Forward(r.Device(), v, alpha, beta, y, norm, mask) }
	}}
}

// shiftGradient takes two operations for u, three for g·mask and its sum with u, three for gu, one for gv, three for the
// sums of gu·v and gu.
func (m modality) shiftGradient() call {
	return call{m.name + "/gradient", 12 * m.pooled() / 4, 3 * m.pooled(), func(r *room) func() error {
		v, alpha, beta, norm, gy := m.v(r), r.normal(1, m.units), r.normal(1, m.units), r.positive(0, 0.01, m.videos, m.units), m.columns(r, 1)
		gv, galpha, gbeta, work := r.empty(m.videos, m.units, m.width), r.empty(m.units), r.empty(m.units), r.empty(2, m.videos, m.units)
		mask := engine.Mask{Rate: 0.5, Train: true, Seed: 1}
		return func() error {
			return shift.Backward(r.Device(), v, alpha, beta, norm, gy, gv, galpha, gbeta, work, mask, engine.Sink{})
		}
	}}
}

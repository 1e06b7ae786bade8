// Package attention pools the frames of a video by attention units: the heart of Attention Cluster
// (Long et al., "Attention Clusters", arXiv 1711.09550, equations 3 to 5), fused so that a video's
// frames are dequantised once and stay in cache.
//
// Shapes: x [B,L,D] features, uint8 (dequantised on the way by x = q·4/255 + 4/512 − 2) or float32;
// w [C,D] and c [C] the units' scoring weights and biases; a [B,L,C] attention weights and gs [B,L,C]
// gradients of the scores, both unpadded; v and gv [B,C,D] pooled features and their gradient. Rows of
// all others may be padded. L, D and C are at least 1. What a call computes for a video does not depend
// on the others in the batch.
//
// A processor with AMX multiplies quantised features of 64 columns or more as the bytes they are, with the other factor in fixed
// point, to 2^-24 to 2^-23 of a unit's largest number: about as exact as fused multiply-adds of float32 (amx.h).
package attention

import (
	"errors"
	"fmt"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
)

// Forward computes s[b,l,i] = x[b,l,:]·w[i,:] + c[i], a = softmax of s over the frames l (the maximum
// is subtracted first), and v[b,i,:] = Σ_l a[b,l,i]·x[b,l,:]. The gradient needs a.
func Forward(d engine.Device, x, w, c, a, v engine.Tensor) error {
	s, err := shapes(x, a, v)
	if err != nil {
		return err
	}
	if err := checkWeights(w, s); err != nil {
		return err
	}
	if err := c.Check("attention", "bias", engine.Float32, s.units); err != nil {
		return err
	}
	switch d := d.(type) {
	case *host.Ref:
		features := frames(x)
		given := make([]float64, s.b*s.l*s.units)
		scores(s, features, rowsOf(w), host.Slice[float32](c), given)
		pool(s, features, given, host.Slice[float32](a), rowsOf(v))
		return nil
	case *host.CPU:
		forwardCPU(d, s, x, w, c, a, v)
		return nil
	case *cuda.Device:
		return forwardCUDA(d, s, x, w, c, a, v)
	}
	return engine.Unsupported(d, "attention")
}

// Pool is Forward with scores computed elsewhere: a holds them on entry, and the weights on return.
func Pool(d engine.Device, x, a, v engine.Tensor) error {
	s, err := shapes(x, a, v)
	if err != nil {
		return err
	}
	switch d := d.(type) {
	case *host.Ref:
		weights := host.Slice[float32](a)
		given := make([]float64, len(weights))
		for i, score := range weights {
			given[i] = float64(score)
		}
		pool(s, frames(x), given, weights, rowsOf(v))
		return nil
	case *host.CPU:
		forwardCPU(d, s, x, engine.Tensor{}, engine.Tensor{}, a, v)
		return nil
	case *cuda.Device:
		return forwardCUDA(d, s, x, engine.Tensor{}, engine.Tensor{}, a, v)
	}
	return engine.Unsupported(d, "attention")
}

// BackwardScores computes the gradient of the scores from that of v: with g[l,i] = x[b,l,:]·gv[b,i,:],
// gs[b,l,i] = a·(g − Σ_l a·g).
func BackwardScores(d engine.Device, x, a, gv, gs engine.Tensor) error {
	s, err := shapes(x, a, gv)
	if err != nil {
		return err
	}
	if err := checkFrames(gs, "gradient of the scores", s); err != nil {
		return err
	}
	switch d := d.(type) {
	case *host.Ref:
		backwardScores(s, frames(x), host.Slice[float32](a), rowsOf(gv), host.Slice[float32](gs))
		return nil
	case *host.CPU:
		backwardCPU(d, s, x, a, gv, gs, engine.Tensor{}, false)
		return nil
	case *cuda.Device:
		return backwardScoresCUDA(d, s, x, a, gv, gs)
	}
	return engine.Unsupported(d, "attention")
}

// BackwardWeights computes gw[i,:] = Σ_b Σ_l gs[b,l,i]·x[b,l,:], stored or added. The gradient of the
// bias is the column sum of gs.
func BackwardWeights(d engine.Device, x, gs, gw engine.Tensor, sink engine.Sink) error {
	s, err := frameShapes(x, gs, "gradient of the scores")
	if err != nil {
		return err
	}
	if err := checkWeights(gw, s); err != nil {
		return err
	}
	if sink.Step != nil {
		return errors.New("attention: the weight gradient cannot take the optimiser's step; ask for a store or an addition")
	}
	switch d := d.(type) {
	case *host.Ref:
		backwardWeights(s, frames(x), host.Slice[float32](gs), rowsOf(gw), sink.Add)
		return nil
	case *host.CPU:
		backwardCPU(d, s, x, engine.Tensor{}, engine.Tensor{}, gs, gw, sink.Add)
		return nil
	case *cuda.Device:
		return backwardWeightsCUDA(d, s, x, gs, gw, sink.Add)
	}
	return engine.Unsupported(d, "attention")
}

// Backward is BackwardScores and BackwardWeights, with the same bits. The cpu device makes it one pass over
// the videos.
func Backward(d engine.Device, x, a, gv, gs, gw engine.Tensor, sink engine.Sink) error {
	if d, ok := d.(*host.CPU); ok && sink.Step == nil {
		s, err := shapes(x, a, gv)
		if err != nil {
			return err
		}
		if err := checkFrames(gs, "gradient of the scores", s); err != nil {
			return err
		}
		if err := checkWeights(gw, s); err != nil {
			return err
		}
		backwardCPU(d, s, x, a, gv, gs, gw, sink.Add)
		return nil
	}
	if err := BackwardScores(d, x, a, gv, gs); err != nil {
		return err
	}
	return BackwardWeights(d, x, gs, gw, sink)
}

// BackwardFeatures computes the gradient of float32 features: gx[b,l,:] = Σ_i a[b,l,i]·gv[b,i,:] +
// gs[b,l,i]·w[i,:], stored or added. With the zero Tensor for w there is only the first term, as
// behind Pool.
func BackwardFeatures(d engine.Device, w, a, gs, gv, gx engine.Tensor, sink engine.Sink) error {
	s, err := shapes(gx, a, gv)
	if err != nil {
		return err
	}
	if gx.Type() != engine.Float32 {
		return fmt.Errorf("attention: the gradient of the features is %v, want float32", gx)
	}
	if err := checkFrames(gs, "gradient of the scores", s); err != nil {
		return err
	}
	if !w.IsZero() {
		if err := checkWeights(w, s); err != nil {
			return err
		}
	}
	if sink.Step != nil {
		return errors.New("attention: the gradient of the features cannot take the optimiser's step: features are not a parameter")
	}
	switch d := d.(type) {
	case *host.Ref:
		var weights rows[float32]
		if !w.IsZero() {
			weights = rowsOf(w)
		}
		backwardFeatures(s, weights, host.Slice[float32](a), host.Slice[float32](gs), rowsOf(gv), rowsOf(gx), sink.Add)
		return nil
	case *host.CPU:
		backwardFeaturesCPU(d, s, w, a, gs, gv, gx, sink.Add)
		return nil
	case *cuda.Device:
		return backwardFeaturesCUDA(d, s, w, a, gs, gv, gx, sink.Add)
	}
	return engine.Unsupported(d, "attention")
}

// size is a problem: videos, frames, width of a frame, units.
type size struct{ b, l, d, units int }

// frameShapes checks features and a tensor [B,L,C] called name.
func frameShapes(x, a engine.Tensor, name string) (size, error) {
	if x.Rank() != 3 || x.Type() == engine.Int32 {
		return size{}, fmt.Errorf("attention: features are %v, want uint8 or float32 [B L D]", x)
	}
	s := size{b: x.Dim(0), l: x.Dim(1), d: x.Dim(2), units: -1}
	if err := checkFrames(a, name, s); err != nil {
		return s, err
	}
	if s.units = a.Cols(); s.l == 0 || s.d == 0 || s.units == 0 {
		return s, fmt.Errorf("attention: features %v and %s %v, want at least one frame, one feature and one unit", x, name, a)
	}
	return s, nil
}

func checkFrames(a engine.Tensor, name string, s size) error {
	if err := a.Check("attention", name, engine.Float32, s.b, s.l, s.units); err != nil {
		return err
	}
	if a.LD() != a.Cols() {
		return fmt.Errorf("attention: rows of %s %v are %d apart, want no padding", name, a, a.LD())
	}
	return nil
}

func shapes(x, a, v engine.Tensor) (size, error) {
	s, err := frameShapes(x, a, "weights")
	if err != nil {
		return s, err
	}
	return s, v.Check("attention", "pooled features", engine.Float32, s.b, s.units, s.d)
}

func checkWeights(w engine.Tensor, s size) error {
	return w.Check("attention", "scoring weights", engine.Float32, s.units, s.d)
}

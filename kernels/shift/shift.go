// Package shift is the shifting operation of Attention Cluster (paper, section 3.2) with the L2 norm
// and the dropout that follow it.
package shift

import (
	"errors"
	"fmt"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
)

// Forward computes, for each video b and unit i over D features,
//
//	u = α_i·v[b,i,:] + β_i,  norm[b,i] = 1/(√(Σu² + 1e-12)·√C),  y[b,i,:] = u·norm[b,i] ⊙ mask
//
// for v [B,C,D], α and β [C]. Y [B,C·D] is a range of columns of the representation [B,F], and mask
// that of its columns. Norm [B,C] is saved for the gradient.
func Forward(d engine.Device, v, alpha, beta, y, norm engine.Tensor, mask engine.Mask) error {
	s, err := shapes(v, alpha, beta, norm, y, mask)
	if err != nil {
		return err
	}
	switch d := d.(type) {
	case *host.Ref:
		forward(s, mask, host.Slice[float32](v), host.Slice[float32](alpha), host.Slice[float32](beta), host.Slice[float32](y), y.LD(), host.Slice[float32](norm))
		return nil
	case *host.CPU:
		forwardCPU(d, s, mask, v, alpha, beta, y, norm)
		return nil
	case *cuda.Device:
		return forwardCUDA(d, s, mask, v, alpha, beta, y, norm)
	}
	return engine.Unsupported(d, "shift")
}

// Backward computes the gradients from gy [B,C·D], that of y. With g = gy ⊙ mask and n = norm:
//
//	gu = n·g − u·C·n³·Σ g·u,  gv = α·gu (stored),  gα = Σ_b Σ_d gu·v,  gβ = Σ_b Σ_d gu (by sink)
//
// Work is room for [2,B,C] partial sums.
func Backward(d engine.Device, v, alpha, beta, norm, gy, gv, galpha, gbeta, work engine.Tensor, mask engine.Mask, sink engine.Sink) error {
	s, err := shapes(v, alpha, beta, norm, gy, mask)
	if err != nil {
		return err
	}
	if !gv.SameShape(v) || gv.LD() != v.LD() || !galpha.SameShape(alpha) || !gbeta.SameShape(beta) {
		return fmt.Errorf("shift: gradients %v, %v, %v of %v, %v, %v", gv, galpha, gbeta, v, alpha, beta)
	}
	if err := work.Check("shift", "work", engine.Float32, 2, s.b, s.units); err != nil {
		return err
	}
	if work.LD() != s.units {
		return fmt.Errorf("shift: work is %v with rows %d apart, want unpadded", work, work.LD())
	}
	if sink.Step != nil {
		return errors.New("shift: its gradients cannot take the optimiser's step")
	}
	switch d := d.(type) {
	case *host.Ref:
		backward(s, mask, host.Slice[float32](v), host.Slice[float32](alpha), host.Slice[float32](beta), host.Slice[float32](norm),
			host.Slice[float32](gy), gy.LD(), host.Slice[float32](gv), host.Slice[float32](galpha), host.Slice[float32](gbeta), sink.Add)
		return nil
	case *host.CPU:
		backwardCPU(d, s, mask, v, alpha, beta, norm, gy, gv, galpha, gbeta, work, sink.Add)
		return nil
	case *cuda.Device:
		return backwardCUDA(d, s, mask, v, alpha, beta, norm, gy, gv, galpha, gbeta, work, sink.Add)
	}
	return engine.Unsupported(d, "shift")
}

type size struct{ b, units, d int }

func shapes(v, alpha, beta, norm, y engine.Tensor, mask engine.Mask) (size, error) {
	if err := v.Check("shift", "pooled features", engine.Float32, -1, -1, -1); err != nil {
		return size{}, err
	}
	s := size{v.Dim(0), v.Dim(1), v.Dim(2)}
	if v.LD() != s.d || s.units == 0 || s.d == 0 {
		return s, fmt.Errorf("shift: pooled features are %v with rows %d apart, want unpadded and not empty", v, v.LD())
	}
	if err := alpha.Check("shift", "alpha", engine.Float32, s.units); err != nil {
		return s, err
	}
	if err := beta.Check("shift", "beta", engine.Float32, s.units); err != nil {
		return s, err
	}
	if err := norm.Check("shift", "norm", engine.Float32, s.b, s.units); err != nil {
		return s, err
	}
	if norm.LD() != s.units {
		return s, fmt.Errorf("shift: norm is %v with rows %d apart, want unpadded", norm, norm.LD())
	}
	if err := y.Check("shift", "representation", engine.Float32, s.b, s.units*s.d); err != nil {
		return s, err
	}
	return s, mask.Check("shift", s.b, s.units*s.d)
}

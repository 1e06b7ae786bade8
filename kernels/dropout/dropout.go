// Package dropout is dropout as PaddlePaddle's fluid computes it under the name downgrade_in_infer:
// elements are dropped in training without rescaling the others, and everything is multiplied by
// 1−rate in evaluation. The masks themselves are engine.Mask; mask.h draws them for every C kernel.
package dropout

import (
	"errors"
	"fmt"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
)

// Forward computes
//
//	y[r,c] = x[r,c]·m.Factor(r,c)
//
// for float32 x and y of [rows, cols], rows padded or not: the mask (0 or 1) in training, else 1−Rate.
// It is a product, so a dropped NaN or infinity is NaN. Nothing is saved.
//
// Source: Srivastava et al., "Dropout" (JMLR 15, 2014); the convention is fluid's.
func Forward(d engine.Device, m engine.Mask, x, y engine.Tensor) error {
	return apply(d, m, "x", x, "y", y, false)
}

// Backward is the gradient of Forward, gx[r,c] = gy[r,c]·m.Factor(r,c), stored or added as sink says.
// The mask is drawn again.
func Backward(d engine.Device, m engine.Mask, gy, gx engine.Tensor, sink engine.Sink) error {
	if sink.Step != nil {
		return errors.New("dropout: the gradient of an input cannot be handed to the optimiser; give a sink without Step")
	}
	return apply(d, m, "gy", gy, "gx", gx, sink.Add)
}

func apply(d engine.Device, m engine.Mask, xname string, x engine.Tensor, yname string, y engine.Tensor, add bool) error {
	if err := x.Check("dropout", xname, engine.Float32, -1, -1); err != nil {
		return err
	}
	if !y.SameShape(x) {
		return fmt.Errorf("dropout: %s is %v, want the shape of %s, %v", yname, y, xname, x)
	}
	if err := m.Check("dropout", x.Rows(), x.Cols()); err != nil {
		return err
	}
	switch d := d.(type) {
	case *host.Ref:
		reference(m, host.Slice[float32](x), x.LD(), host.Slice[float32](y), y.LD(), x.Rows(), x.Cols(), add)
		return nil
	case *host.CPU:
		applyCPU(d, m, x, y, add)
		return nil
	case *cuda.Device:
		return applyCUDA(d, m, x, y, add)
	}
	return engine.Unsupported(d, "dropout")
}

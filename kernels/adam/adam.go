// Package adam is the optimiser Adam (Kingma and Ba, arXiv 1412.6980) as PaddlePaddle fluid 1.x
// computes it, with ε outside the bias correction.
package adam

import (
	"fmt"
	"math"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
)

// Update makes one step over a block of parameters:
//
//	g ← scale·g,  m ← β1·m + (1−β1)·g,  v ← β2·v + (1−β2)·g²,  w ← w − rate·m/(√v + ε)
//
// for w, g and the moments in s of one shape, unpadded. Rate is the bias-corrected learning rate
// (Rate). Scale is a tensor of one float32 on the device, as kernels/norm leaves it, or the zero
// Tensor for 1.
func Update(d engine.Device, w, g engine.Tensor, s *engine.Step, scale engine.Tensor) error {
	for i, t := range [...]engine.Tensor{w, g, s.M, s.V} {
		if t.Type() != engine.Float32 || !t.SameShape(w) || t.LD() != t.Cols() {
			return fmt.Errorf("adam: %s is %v with rows %d apart, want unpadded float32 shaped as the weights %v",
				[...]string{"weights", "gradient", "first moment", "second moment"}[i], t, t.LD(), w)
		}
	}
	if !scale.IsZero() {
		if err := scale.Check("adam", "scale", engine.Float32, 1); err != nil {
			return err
		}
	}
	switch d := d.(type) {
	case *host.Ref:
		by := float32(1)
		if !scale.IsZero() {
			by = host.Slice[float32](scale)[0]
		}
		update(host.Slice[float32](w), host.Slice[float32](g), host.Slice[float32](s.M), host.Slice[float32](s.V), by, s)
		return nil
	case *host.CPU:
		updateCPU(d, w, g, s, scale)
		return nil
	case *cuda.Device:
		return updateCUDA(d, w, g, s, scale)
	}
	return engine.Unsupported(d, "adam")
}

// Rate is the learning rate of step t ≥ 1 with Adam's bias corrections folded in:
// lr·√(1−β2^t)/(1−β1^t).
func Rate(lr, beta1, beta2 float64, t int) float64 {
	return lr * math.Sqrt(1-math.Pow(beta2, float64(t))) / (1 - math.Pow(beta1, float64(t)))
}

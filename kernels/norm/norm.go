// Package norm is the Euclidean norm of a gradient, and the factor that clips it.
package norm

import (
	"fmt"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
)

// Run computes
//
//	out[0] = ‖g‖₂ = √Σ gᵢ²,  out[1] = min(1, clip/‖g‖₂)
//
// for unpadded float32 g of any shape and float32 out [2]. Clip 0 means no clipping: the factor is 1.
// A norm that is not a finite float32 gives the factor NaN, whatever clip is, so that what is scaled
// by it shows. Squares are exact and summed in float64, in one order.
func Run(d engine.Device, g, out engine.Tensor, clip float64) error {
	if g.IsZero() || g.Type() != engine.Float32 || g.Rows() > 1 && g.LD() != g.Cols() {
		return fmt.Errorf("norm: gradient is %v with rows %d apart, want unpadded float32", g, g.LD())
	}
	if err := out.Check("norm", "out", engine.Float32, 2); err != nil {
		return err
	}
	if !(clip >= 0) {
		return fmt.Errorf("norm: the norm cannot be clipped to %v; 0 means no clipping", clip)
	}
	switch d := d.(type) {
	case *host.Ref:
		norm(host.Slice[float32](out), host.Slice[float32](g), clip)
		return nil
	case *host.CPU:
		runCPU(d, g, out, clip)
		return nil
	case *cuda.Device:
		return runCUDA(d, g, out, clip)
	}
	return engine.Unsupported(d, "norm")
}

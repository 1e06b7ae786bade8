// Package colsum sums the rows of a matrix: the gradient of a bias.
package colsum

import (
	"errors"
	"fmt"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
)

// Run computes sum[n] = Σ_r x[r,n] for float32 x of any rank, whose last dimension is n and all others
// count rows, which may be padded, and float32 sum [N]. Without rows it is 0. The sink may store or
// add; it cannot step. Eight rows at a time are summed in float32, and these sums in float64, in one
// order.
func Run(d engine.Device, x, sum engine.Tensor, sink engine.Sink) error {
	if sink.Step != nil {
		return errors.New("colsum: column sums cannot take an optimiser's step")
	}
	if x.IsZero() || x.Type() != engine.Float32 {
		return fmt.Errorf("colsum: x is %v, want float32", x)
	}
	if err := sum.Check("colsum", "sum", engine.Float32, x.Cols()); err != nil {
		return err
	}
	switch d := d.(type) {
	case *host.Ref:
		colsum(host.Slice[float32](sum), host.Slice[float32](x), x.Rows(), x.LD(), sink.Add)
		return nil
	case *host.CPU:
		runCPU(d, x, sum, sink.Add)
		return nil
	case *cuda.Device:
		return runCUDA(d, x, sum, sink.Add)
	}
	return engine.Unsupported(d, "colsum")
}

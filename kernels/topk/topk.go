// Package topk finds the highest values of each row.
package topk

import (
	"fmt"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
)

// Run finds the k highest of each row of float32 p [B,K], highest first, and of equal values the lower
// class first (0 and −0 are equal): values float32 [B,k] and classes int32 [B,k], where k ≤ K is their
// number of columns. NaN is below every number, −Inf included, so that it comes last, and only where
// a row has fewer than k numbers. Rows may be padded.
func Run(d engine.Device, p, values, classes engine.Tensor) error {
	if err := p.Check("topk", "p", engine.Float32, -1, -1); err != nil {
		return err
	}
	if err := values.Check("topk", "values", engine.Float32, p.Dim(0), -1); err != nil {
		return err
	}
	if err := classes.Check("topk", "classes", engine.Int32, p.Dim(0), values.Dim(1)); err != nil {
		return err
	}
	if k := values.Dim(1); k > p.Dim(1) {
		return fmt.Errorf("topk: the %d highest of %d classes were asked for", k, p.Dim(1))
	}
	switch d := d.(type) {
	case *host.Ref:
		if values.Len() > 0 {
			for b := range p.Dim(0) {
				topk(line[float32](values, b), line[int32](classes, b), line[float32](p, b))
			}
		}
		return nil
	case *host.CPU:
		runCPU(d, p, values, classes)
		return nil
	case *cuda.Device:
		return runCUDA(d, p, values, classes)
	}
	return engine.Unsupported(d, "topk")
}

func line[T engine.Element](t engine.Tensor, b int) []T {
	return host.Slice[T](t)[b*t.LD():][:t.Cols()]
}

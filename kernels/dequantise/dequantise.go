// Package dequantise turns quantised features into floats (google/youtube-8m, utils.Dequantize).
package dequantise

import (
	"fmt"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
)

// Table is the value of each byte: q·(hi−lo)/255 + (hi−lo)/512 + lo, in float64, rounded once.
func Table(lo, hi float64) (t [256]float32) {
	for q := range t {
		t[q] = float32(value(q, lo, hi))
	}
	return t
}

// value rounds the product by itself: no processor may fuse it with the sum.
func value(q int, lo, hi float64) float64 {
	return float64(float64(q)*((hi-lo)/255)) + ((hi-lo)/512 + lo)
}

// Run computes x = Table(lo, hi)[q] for uint8 q and float32 x of equal dimensions; rows may be padded.
// Features need no gradient.
func Run(d engine.Device, q, x engine.Tensor, lo, hi float64) error {
	if q.Type() != engine.Uint8 || x.Type() != engine.Float32 || q.Rows() != x.Rows() || q.Cols() != x.Cols() {
		return fmt.Errorf("dequantise: %v into %v, want uint8 into as many float32", q, x)
	}
	table := Table(lo, hi)
	switch d := d.(type) {
	case *host.Ref:
		in, out := host.Slice[uint8](q), host.Slice[float32](x)
		for r := range q.Rows() {
			for k := range q.Cols() {
				out[r*x.LD()+k] = table[in[r*q.LD()+k]]
			}
		}
		return nil
	case *host.CPU:
		runCPU(d, q, x, &table)
		return nil
	case *cuda.Device:
		return runCUDA(d, q, x, lo, hi)
	}
	return engine.Unsupported(d, "dequantise")
}

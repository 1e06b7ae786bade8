// Package softmaxce is softmax cross-entropy, the loss of classes of which each video has exactly one, and its
// gradient.
package softmaxce

import (
	"fmt"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
)

// Loss computes, for each row b of logits z [B,K] with sparse labels,
//
//	each[b] = log Σ_k exp(z) − z[label],  gz = (softmax(z) − t)·scale
//
// with t 1 for the label of the row and 0 for other classes:
//
// each [B]; gz [B,K] is scale times the gradient of each[b] by z[b,:], or the zero Tensor where none is
// wanted. Row b's labels are labels[offsets[b]:offsets[b+1]], one class and no other. Rows of z and gz may be padded.
// On a host device a label outside the classes is an error that names the row.
func Loss(d engine.Device, z, offsets, labels, each, gz engine.Tensor, scale float32) error {
	if err := z.Check("softmaxce", "logits", engine.Float32, -1, -1); err != nil {
		return err
	}
	b, k := z.Dim(0), z.Dim(1)
	if k == 0 {
		return fmt.Errorf("softmaxce: no classes")
	}
	if err := each.Check("softmaxce", "losses", engine.Float32, b); err != nil {
		return err
	}
	if !gz.IsZero() {
		if err := gz.Check("softmaxce", "gradient", engine.Float32, b, k); err != nil {
			return err
		}
	}
	switch d := d.(type) {
	case *host.Ref:
		if err := checkLabels(offsets, labels, b, k); err != nil {
			return err
		}
		var g []float32
		ldg := 0
		if !gz.IsZero() {
			g, ldg = host.Slice[float32](gz), gz.LD()
		}
		loss(b, k, host.Slice[float32](z), z.LD(), host.Slice[int32](offsets), host.Slice[int32](labels), host.Slice[float32](each), g, ldg, float64(scale))
		return nil
	case *host.CPU:
		if err := checkLabels(offsets, labels, b, k); err != nil {
			return err
		}
		lossCPU(d, z, offsets, labels, each, gz, scale)
		return nil
	case *cuda.Device:
		return lossCUDA(d, z, offsets, labels, each, gz, scale)
	}
	return engine.Unsupported(d, "softmaxce")
}

func checkLabels(offsets, labels engine.Tensor, rows, classes int) error {
	if err := host.CheckLabels("softmaxce", offsets, labels, rows, classes); err != nil {
		return err
	}
	o, l := host.Slice[int32](offsets), host.Slice[int32](labels)
	for r := range rows {
		mine := l[o[r]:o[r+1]]
		if len(mine) == 0 {
			return fmt.Errorf("softmaxce: row %d has no label; the softmax loss needs exactly one", r)
		}
		for _, k := range mine {
			if k != mine[0] {
				return fmt.Errorf("softmaxce: row %d has labels %d and %d; the softmax loss needs exactly one", r, mine[0], k)
			}
		}
	}
	return nil
}

// Prob computes p = softmax(z), row by row, for z and p [B,K]; rows may be padded.
func Prob(d engine.Device, z, p engine.Tensor) error {
	if err := z.Check("softmaxce", "logits", engine.Float32, -1, -1); err != nil {
		return err
	}
	if !p.SameShape(z) || z.Dim(1) == 0 {
		return fmt.Errorf("softmaxce: probabilities are %v, want %v, not empty", p, z)
	}
	switch d := d.(type) {
	case *host.Ref:
		prob(z.Dim(0), z.Dim(1), host.Slice[float32](z), z.LD(), host.Slice[float32](p), p.LD())
		return nil
	case *host.CPU:
		probCPU(d, z, p)
		return nil
	case *cuda.Device:
		return probCUDA(d, z, p)
	}
	return engine.Unsupported(d, "softmaxce")
}

package sigmoidce

import (
	_ "embed"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed sigmoidce.ptx
var ptx string

var source = cuda.Source{Name: "sigmoidce", PTX: ptx}

// lossCUDA checks the shapes of the labels; what they name is the caller's to check before it copies
// them to the device.
func lossCUDA(d *cuda.Device, z, offsets, labels, each, gz engine.Tensor, scale float32) error {
	if err := offsets.Check("sigmoidce", "offsets", engine.Int32, z.Dim(0)+1); err != nil {
		return err
	}
	if err := labels.Check("sigmoidce", "labels", engine.Int32, -1); err != nil {
		return err
	}
	if z.Dim(0) == 0 {
		return nil
	}
	ldg := 0
	if !gz.IsZero() {
		ldg = gz.LD()
	}
	return d.Launch(&source, "sigmoidce", cuda.Grid{X: z.Dim(0), Threads: 256}, cuda.Addr(z), cuda.Int(z.LD()), cuda.Int(z.Dim(1)),
		cuda.Addr(offsets), cuda.Addr(labels), cuda.Addr(each), cuda.Addr(gz), cuda.Int(ldg), cuda.F32(float64(scale)))
}

func probCUDA(d *cuda.Device, z, p engine.Tensor) error {
	if z.Len() == 0 {
		return nil
	}
	grid := cuda.Grid{X: (z.Dim(1) + 255) / 256, Y: min(z.Dim(0), 65535), Threads: 256}
	return d.Launch(&source, "sigmoid_prob", grid, cuda.Addr(z), cuda.Int(z.LD()), cuda.Addr(p), cuda.Int(p.LD()), cuda.Int(z.Dim(0)), cuda.Int(z.Dim(1)))
}

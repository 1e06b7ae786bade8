package softmaxce

import (
	_ "embed"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed softmaxce.ptx
var ptx string

var source = cuda.Source{Name: "softmaxce", PTX: ptx}

// lossCUDA checks the shapes of the labels; what they name is the caller's to check before it copies
// them to the device.
func lossCUDA(d *cuda.Device, z, offsets, labels, each, gz engine.Tensor, scale float32) error {
	if err := offsets.Check("softmaxce", "offsets", engine.Int32, z.Dim(0)+1); err != nil {
		return err
	}
	if err := labels.Check("softmaxce", "labels", engine.Int32, -1); err != nil {
		return err
	}
	return runCUDA(d, z, cuda.Addr(offsets), cuda.Addr(labels), cuda.Addr(each), gz, scale)
}

func probCUDA(d *cuda.Device, z, p engine.Tensor) error { return runCUDA(d, z, 0, 0, 0, p, 1) }

func runCUDA(d *cuda.Device, z engine.Tensor, offsets, labels, each uint64, gz engine.Tensor, scale float32) error {
	if z.Dim(0) == 0 {
		return nil
	}
	ldg := 0
	if !gz.IsZero() {
		ldg = gz.LD()
	}
	return d.Launch(&source, "softmaxce", cuda.Grid{X: z.Dim(0), Threads: 256}, cuda.Addr(z), cuda.Int(z.LD()), cuda.Int(z.Dim(1)),
		offsets, labels, each, cuda.Addr(gz), cuda.Int(ldg), cuda.F32(float64(scale)))
}

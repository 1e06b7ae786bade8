package topk

import (
	_ "embed"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed topk.ptx
var ptx string

var source = cuda.Source{Name: "topk", PTX: ptx}

func runCUDA(d *cuda.Device, p, values, classes engine.Tensor) error {
	if values.Len() == 0 {
		return nil
	}
	return d.Launch(&source, "topk", cuda.Grid{X: p.Dim(0), Threads: 256}, cuda.Addr(p), cuda.Int(p.LD()), cuda.Int(p.Dim(1)), cuda.Int(values.Dim(1)),
		cuda.Addr(values), cuda.Int(values.LD()), cuda.Addr(classes), cuda.Int(classes.LD()))
}

package dequantise

import (
	_ "embed"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed dequantise.ptx
var ptx string

var source = cuda.Source{Name: "dequantise", PTX: ptx}

func runCUDA(d *cuda.Device, q, x engine.Tensor, lo, hi float64) error {
	if x.Len() == 0 {
		return nil
	}
	grid := cuda.Grid{X: (x.Cols() + 1023) / 1024, Y: min(x.Rows(), 65535), Threads: 256}
	return d.Launch(&source, "dequantise", grid, cuda.Addr(q), cuda.Int(q.LD()), cuda.Addr(x), cuda.Int(x.LD()),
		cuda.Int(x.Rows()), cuda.Int(x.Cols()), cuda.F64((hi-lo)/255), cuda.F64((hi-lo)/512+lo))
}

package gather

import (
	_ "embed"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed gather.ptx
var ptx string

var source = cuda.Source{Name: "gather", PTX: ptx}

func columnsCUDA(d *cuda.Device, w Window, x, cols engine.Tensor) error {
	if cols.Len() == 0 {
		return nil
	}
	s := shapeCUDA(w, x)
	grid := cuda.Grid{X: (cols.Cols() + 255) / 256, Y: min(cols.Rows(), 65535), Threads: 256}
	return d.Launch(&source, "gather_columns", grid, cuda.Addr(x), cuda.Int(x.LD()), cuda.Addr(cols), cuda.Int(cols.LD()),
		s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9])
}

func backCUDA(d *cuda.Device, w Window, gcols, gx engine.Tensor, add bool) error {
	if gx.Len() == 0 {
		return nil
	}
	s := shapeCUDA(w, gx)
	grid := cuda.Grid{X: (gx.Dim(2)*gx.Dim(3) + 255) / 256, Y: min(gx.Dim(0)*gx.Dim(1), 65535), Threads: 256}
	return d.Launch(&source, "gather_back", grid, cuda.Addr(gcols), cuda.Int(gcols.LD()), cuda.Addr(gx), cuda.Int(gx.LD()), cuda.Bool(add),
		s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9])
}

// shapeCUDA is the arguments that the kernels' SHAPE declares.
func shapeCUDA(w Window, x engine.Tensor) (s [10]uint64) {
	for i, n := range [...]int{x.Dim(0), x.Dim(1), x.Dim(2), x.Dim(3), w.Height, w.Width, w.Stride, w.Pad, w.Out(x.Dim(1), w.Height), w.Out(x.Dim(2), w.Width)} {
		s[i] = cuda.Int(n)
	}
	return s
}

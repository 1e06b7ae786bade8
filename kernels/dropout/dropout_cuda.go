package dropout

import (
	_ "embed"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed dropout.ptx
var ptx string

var source = cuda.Source{Name: "dropout", PTX: ptx}

func applyCUDA(d *cuda.Device, m engine.Mask, x, y engine.Tensor, add bool) error {
	if x.Len() == 0 {
		return nil
	}
	k := cuda.Mask(m)
	four := x.Cols()%4 == 0 && x.LD()%4 == 0 && y.LD()%4 == 0 && m.Column%4 == 0 && (cuda.Addr(x)|cuda.Addr(y))%16 == 0
	across := x.Cols()
	if four {
		across /= 4
	}
	grid := cuda.Grid{X: (across + 255) / 256, Y: min(x.Rows(), 65535), Threads: 256}
	return d.Launch(&source, "dropout", grid, cuda.Addr(x), cuda.Int(x.LD()), cuda.Addr(y), cuda.Int(y.LD()), cuda.Int(x.Rows()), cuda.Int(x.Cols()),
		cuda.Bool(add), cuda.Bool(four), k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7], k[8], k[9], k[10])
}

package activation

import (
	_ "embed"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed activation.ptx
var ptx string

var source = cuda.Source{Name: "activation", PTX: ptx}

// grid cuts tensors of one shape into blocks; those without padding are one long row.
func grid(tensors ...engine.Tensor) (g cuda.Grid, rows, cols int) {
	rows, cols = tensors[0].Rows(), tensors[0].Cols()
	padded := false
	for _, t := range tensors {
		padded = padded || t.LD() != cols
	}
	if !padded {
		rows, cols = 1, rows*cols
	}
	return cuda.Grid{X: (cols + 255) / 256, Y: min(rows, 65535), Threads: 256}, rows, cols
}

func forwardCUDA(d *cuda.Device, k Kind, x, y engine.Tensor) error {
	if x.Len() == 0 {
		return nil
	}
	g, rows, cols := grid(x, y)
	return d.Launch(&source, "activation", g, uint64(k), cuda.Addr(x), cuda.Int(x.LD()), cuda.Addr(y), cuda.Int(y.LD()), cuda.Int(rows), cuda.Int(cols))
}

func backwardCUDA(d *cuda.Device, k Kind, y, gy, gx engine.Tensor, add bool) error {
	if y.Len() == 0 {
		return nil
	}
	g, rows, cols := grid(y, gy, gx)
	return d.Launch(&source, "activation_gradient", g, uint64(k), cuda.Addr(y), cuda.Int(y.LD()), cuda.Addr(gy), cuda.Int(gy.LD()),
		cuda.Addr(gx), cuda.Int(gx.LD()), cuda.Int(rows), cuda.Int(cols), cuda.Bool(add))
}

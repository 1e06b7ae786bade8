package norm

import (
	_ "embed"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed norm.ptx
var ptx string

var source = cuda.Source{Name: "norm", PTX: ptx}

const block = 1 << 16 // elements that a block sums

func runCUDA(d *cuda.Device, g, out engine.Tensor, clip float64) error {
	n := g.Len()
	blocks := (n + block - 1) / block
	part, err := d.Scratch(8 * int64(max(blocks, 1)))
	if err != nil {
		return err
	}
	if blocks > 0 {
		if err := d.Launch(&source, "norm_squares", cuda.Grid{X: blocks, Threads: 256}, cuda.Addr(g), cuda.Int(n), part); err != nil {
			return err
		}
	}
	return d.Launch(&source, "norm_join", cuda.Grid{X: 1, Threads: 256}, part, cuda.Int(blocks), cuda.F64(clip), cuda.Addr(out))
}

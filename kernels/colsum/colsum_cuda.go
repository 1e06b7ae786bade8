package colsum

import (
	_ "embed"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed colsum.ptx
var ptx string

var source = cuda.Source{Name: "colsum", PTX: ptx}

const (
	high      = 512   // fewest rows of a block
	maxBlocks = 65535 // rows of blocks in a grid
)

func runCUDA(d *cuda.Device, x, sum engine.Tensor, add bool) error {
	rows, cols := x.Rows(), x.Cols()
	if cols == 0 {
		return nil
	}
	tall := high
	if n := (rows + maxBlocks - 1) / maxBlocks; n > tall {
		tall = (n + 63) / 64 * 64
	}
	blocks := max(1, (rows+tall-1)/tall)
	part := uint64(0)
	if blocks > 1 {
		var err error
		if part, err = d.Scratch(8 * int64(blocks) * int64(cols)); err != nil {
			return err
		}
	}
	if err := d.Launch(&source, "colsum", cuda.Grid{X: (cols + 31) / 32, Y: blocks, Threads: 256}, cuda.Addr(x), cuda.Int(x.LD()), cuda.Int(rows),
		cuda.Int(cols), cuda.Int(tall), part, cuda.Addr(sum), cuda.Bool(add)); err != nil || blocks == 1 {
		return err
	}
	return d.Launch(&source, "colsum_join", cuda.Grid{X: (cols + 255) / 256, Threads: 256}, part, cuda.Int(blocks), cuda.Int(cols), cuda.Addr(sum), cuda.Bool(add))
}

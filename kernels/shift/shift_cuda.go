package shift

import (
	_ "embed"
	"math"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed shift.ptx
var ptx string

var source = cuda.Source{Name: "shift", PTX: ptx}

const unitsABlock = 8

// four reports that units can be read in groups of four and stay in registers.
func four(s size, m engine.Mask, lds []int, tensors ...engine.Tensor) uint64 {
	if s.d > 1024 || s.d%4 != 0 || m.Column%4 != 0 {
		return 0
	}
	for _, ld := range lds {
		if ld%4 != 0 {
			return 0
		}
	}
	for _, t := range tensors {
		if cuda.Addr(t)%16 != 0 {
			return 0
		}
	}
	return 1
}

func forwardCUDA(d *cuda.Device, s size, m engine.Mask, v, alpha, beta, y, norm engine.Tensor) error {
	if s.b == 0 {
		return nil
	}
	k := cuda.Mask(m)
	grid := cuda.Grid{X: (s.b*s.units + unitsABlock - 1) / unitsABlock, Threads: 32 * unitsABlock}
	return d.Launch(&source, "shift_forward", grid, cuda.Addr(v), cuda.Addr(alpha), cuda.Addr(beta), cuda.Addr(y), cuda.Int(y.LD()), cuda.Addr(norm),
		cuda.Int(s.b), cuda.Int(s.units), cuda.Int(s.d), cuda.F32(math.Sqrt(float64(s.units))), four(s, m, []int{y.LD()}, v, y),
		k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7], k[8], k[9], k[10])
}

func backwardCUDA(d *cuda.Device, s size, m engine.Mask, v, alpha, beta, norm, gy, gv, galpha, gbeta, work engine.Tensor, add bool) error {
	if s.b > 0 {
		k := cuda.Mask(m)
		grid := cuda.Grid{X: (s.b*s.units + unitsABlock - 1) / unitsABlock, Threads: 32 * unitsABlock}
		if err := d.Launch(&source, "shift_backward", grid, cuda.Addr(v), cuda.Addr(alpha), cuda.Addr(beta), cuda.Addr(norm), cuda.Addr(gy), cuda.Int(gy.LD()),
			cuda.Addr(gv), cuda.Addr(work), cuda.Int(s.b), cuda.Int(s.units), cuda.Int(s.d), four(s, m, []int{gy.LD()}, v, gy, gv),
			k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7], k[8], k[9], k[10]); err != nil {
			return err
		}
	}
	return d.Launch(&source, "shift_columns", cuda.Grid{X: (s.units + 31) / 32, Y: 2, Threads: 1024}, cuda.Addr(work), cuda.Addr(galpha), cuda.Addr(gbeta),
		cuda.Int(s.b), cuda.Int(s.units), cuda.Bool(add))
}

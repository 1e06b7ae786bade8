package adam

import (
	_ "embed"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed adam.ptx
var ptx string

var source = cuda.Source{Name: "adam", PTX: ptx}

// updateCUDA updates whole groups of four where all blocks lie at 16-byte boundaries, and what is left
// one by one.
func updateCUDA(d *cuda.Device, w, g engine.Tensor, s *engine.Step, scale engine.Tensor) error {
	n, groups := w.Len(), 0
	addr := [...]uint64{cuda.Addr(w), cuda.Addr(g), cuda.Addr(s.M), cuda.Addr(s.V)}
	if (addr[0]|addr[1]|addr[2]|addr[3])%16 == 0 {
		groups = n / 4
	}
	rule := [...]uint64{cuda.F32(s.Rate), cuda.F32(s.Beta1), cuda.F32(s.Beta2), cuda.F32(1 - s.Beta1), cuda.F32(1 - s.Beta2), cuda.F32(s.Epsilon)}
	if groups > 0 {
		if err := d.Launch(&source, "adam4", cuda.Grid{X: (groups + 255) / 256, Threads: 256}, cuda.Int(groups), addr[0], addr[1], addr[2], addr[3],
			cuda.Addr(scale), rule[0], rule[1], rule[2], rule[3], rule[4], rule[5]); err != nil {
			return err
		}
	}
	if left := n - 4*groups; left > 0 {
		return d.Launch(&source, "adam", cuda.Grid{X: (left + 255) / 256, Threads: 256}, cuda.Int(4*groups), cuda.Int(n), addr[0], addr[1], addr[2], addr[3],
			cuda.Addr(scale), rule[0], rule[1], rule[2], rule[3], rule[4], rule[5])
	}
	return nil
}

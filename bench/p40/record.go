package main

import (
	"avcu/engine/cuda"
	"avcu/engine/ptx"
)

// launch is one kernel of the step, with what the virtual machine counted on a slice of its grid,
// scaled to the whole.
type launch struct {
	entry        string
	grid         [3]int
	threads      int
	shared       int // dynamic, bytes
	blocks       float64
	instructions map[string]float64 // warp instructions, by opcode
	global       sectors
	conflicts    wavefronts
}

type sectors struct{ load, store, ideal float64 } // of 32 bytes
type wavefronts struct{ got, ideal float64 }

// recorder is the virtual machine's driver, and notes every launch.
type recorder struct {
	*ptx.Driver
	names    map[cuda.Function]string
	launches []launch
}

func (r *recorder) Function(m cuda.Module, name string) (cuda.Function, error) {
	f, err := r.Driver.Function(m, name)
	r.names[f] = name
	return f, err
}

func (r *recorder) Launch(f cuda.Function, grid, block [3]int, shared int, s cuda.Stream, args []uint64) error {
	r.ResetCounters()
	if err := r.Driver.Launch(f, grid, block, shared, s, args); err != nil {
		return err
	}
	if err := r.Sync(); err != nil {
		return err
	}
	name := r.names[f]
	c := r.Counters()[name]
	l := launch{entry: name, grid: grid, threads: block[0] * block[1] * block[2], shared: shared, blocks: float64(c.Blocks), instructions: map[string]float64{}}
	scale := float64(c.Blocks) / float64(c.BlocksRun)
	for op, n := range c.Instructions {
		l.instructions[op] = scale * float64(n)
	}
	g := c.Global
	l.global = sectors{scale * float64(g.LoadSectors), scale * float64(g.StoreSectors), scale * float64(g.LoadIdeal+g.StoreIdeal)}
	l.conflicts = wavefronts{scale * float64(c.Shared.Wavefronts), scale * float64(c.Shared.Ideal)}
	r.launches = append(r.launches, l)
	return nil
}

// slice takes a few blocks from the middle of a grid, where no edge is.
func slice(blocks int) func(grid [3]int) (int, int) {
	return func(grid [3]int) (int, int) {
		n := grid[0] * grid[1] * grid[2]
		from := max(0, (n-blocks)/2)
		return from, min(n, from+blocks)
	}
}

package main

import (
	"math"

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

// recorder is the virtual machine's driver, which runs some blocks of every launch and notes what they
// did.
type recorder struct {
	*ptx.Driver
	blocks   int // pairs of neighbours in each grid
	block    int // the first of the pair that runs
	all      int // blocks of the grid
	names    map[cuda.Function]string
	launches []launch
}

func newRecorder(blocks int) *recorder {
	r := &recorder{blocks: blocks, names: map[cuda.Function]string{}}
	r.Driver = ptx.NewDriver(ptx.Options{NoChecks: true, Count: true, Slice: func([3]int) (int, int) { return r.block, min(r.block+2, r.all) }})
	return r
}

func (r *recorder) Function(m cuda.Module, name string) (cuda.Function, error) {
	f, err := r.Driver.Function(m, name)
	r.names[f] = name
	return f, err
}

// Launch runs pairs of blocks that are spread over the grid by the golden ratio, so that no period of it, such as
// an edge in every row of tiles, meets all of them.
func (r *recorder) Launch(f cuda.Function, grid, block [3]int, shared int, s cuda.Stream, args []uint64) error {
	all := grid[0] * grid[1] * grid[2]
	r.all = all
	r.ResetCounters()
	for i := range min(r.blocks, all) {
		if r.block = i; all > r.blocks {
			_, at := math.Modf(0.5 + float64(i)*(math.Sqrt(5)-1)/2)
			r.block = int(at * float64(all-1))
		}
		if err := r.Driver.Launch(f, grid, block, shared, s, args); err != nil {
			return err
		}
		if err := r.Sync(); err != nil {
			return err
		}
	}
	name := r.names[f]
	c := r.Counters()[name]
	l := launch{entry: name, grid: grid, threads: block[0] * block[1] * block[2], shared: shared, blocks: float64(all), instructions: map[string]float64{}}
	scale := float64(all) / float64(c.BlocksRun)
	for op, n := range c.Instructions {
		l.instructions[op] = scale * float64(n)
	}
	g := c.Global
	l.global = sectors{scale * float64(g.LoadSectors), scale * float64(g.StoreSectors), scale * float64(g.LoadIdeal+g.StoreIdeal)}
	l.conflicts = wavefronts{scale * float64(c.Shared.Wavefronts), scale * float64(c.Shared.Ideal)}
	r.launches = append(r.launches, l)
	return nil
}

package product

import (
	_ "embed"
	"fmt"
	"math"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed product.ptx
var ptx string

var source = cuda.Source{Name: "product", PTX: ptx}

// tile is a way in which product.cu cuts C.
type tile struct {
	name       string
	rows, cols int
	threads    int
	resident   int     // blocks that a multiprocessor holds at once, by their registers
	share      float64 // of the peak that its inner loop reaches, for choosing between tiles
	blocks     bool    // sums K in blocks, as K beyond longestChain asks for; small does what K asks for
}

var (
	large = tile{name: "large", rows: 128, cols: 128, threads: 256, resident: 2, share: 0.89}
	wide  = tile{name: "wide", rows: 128, cols: 144, threads: 192, resident: 2, share: 0.89}
	deep  = tile{name: "deep", rows: 128, cols: 128, threads: 256, resident: 1, share: 0.85, blocks: true}
	small = tile{name: "small", rows: 32, cols: 32, threads: 64, resident: 12, share: 0.45}
)

const (
	longestChain = 1024 // CHAIN of tile.cuh
	slab         = 8    // DEPTH of tile.cuh
	multis       = 30   // multiprocessors of the card that tiles are chosen for, a Tesla P40
)

// plan is how a product is cut into blocks.
type plan struct {
	tile
	grid  int // tiles of C
	spans int // of K
	span  int // length of a span; the last may be shorter
}

// spansOf cuts K, whatever M and N are, so that they do not change the order of sums. 15 spans make the
// published first layer's 16 tiles 240 blocks, 8 for each multiprocessor.
func spansOf(k int) (spans, span int) {
	spans = min(max((k+1367)/1368, 1), 15)
	span = (k + spans*slab - 1) / (spans * slab) * slab
	return spans, max(span, slab)
}

// planOf chooses the tile that would be done first on a Tesla P40, were all multiprocessors always as
// busy as the busiest.
func planOf(c *Call, s sizes) plan {
	tiles := []tile{large, wide, small}
	if s.k > longestChain {
		tiles = []tile{deep, small}
	}
	switch {
	case c.TransA && c.TransB: // no model needs it
		tiles = []tile{small}
	case c.TransB && s.k <= longestChain: // nor this one wide
		tiles = []tile{large, small}
	}
	best, least := plan{}, math.Inf(1)
	for _, t := range tiles {
		p := t.plan(s)
		waves := (p.grid*p.spans + t.resident*multis - 1) / (t.resident * multis)
		if time := float64(waves) * float64(t.rows*t.cols*t.resident) / t.share; time < least {
			best, least = p, time
		}
	}
	return best
}

func (t tile) plan(s sizes) plan {
	p := plan{tile: t, grid: ((s.m + t.rows - 1) / t.rows) * ((s.n + t.cols - 1) / t.cols)}
	p.spans, p.span = spansOf(s.k)
	return p
}

func runCUDA(d *cuda.Device, c Call, s sizes) error {
	if s.m == 0 || s.n == 0 {
		return nil
	}
	if max(s.m, s.n, s.k) > math.MaxInt32-1024 {
		return fmt.Errorf("product: M=%d, N=%d, K=%d on %s, which counts in 32 bits", s.m, s.n, s.k, d.Name())
	}
	return c.launch(d, s, planOf(&c, s))
}

func (c *Call) launch(d *cuda.Device, s sizes, p plan) error {
	var part uint64
	ldp := (s.n + 7) / 8 * 8
	if p.spans > 1 {
		var err error
		if part, err = d.Scratch(4 * int64(p.spans) * int64(s.m) * int64(ldp)); err != nil {
			return fmt.Errorf("product: %w", err)
		}
	}
	op := map[bool]string{false: "n", true: "t"}
	aligned := 0
	if quads(c.A) {
		aligned |= 1
	}
	if quads(c.B) {
		aligned |= 2
	}
	out := c.outputs(s)
	args := append([]uint64{cuda.Addr(c.A), cuda.Int(c.A.LD()), cuda.Addr(c.B), cuda.Int(c.B.LD()), cuda.Int(s.k), cuda.Int(p.span),
		cuda.Int(aligned), part, cuda.Int(ldp)}, out...)
	grid := cuda.Grid{X: p.grid, Z: p.spans, Threads: p.threads}
	if err := d.Launch(&source, "product_"+op[c.TransA]+op[c.TransB]+"_"+p.name, grid, args...); err != nil || p.spans == 1 {
		return err
	}
	grid = cuda.Grid{X: (s.m*((s.n+3)/4) + 255) / 256, Threads: 256}
	return d.Launch(&source, "product_finish", grid, append([]uint64{part, cuda.Int(ldp), cuda.Int(p.spans)}, out...)...)
}

// outputs are the arguments OUTPUTS of product.cu.
func (c *Call) outputs(s sizes) []uint64 {
	step, sink := engine.Step{}, 0
	switch {
	case c.Sink.Step != nil:
		step, sink = *c.Sink.Step, 2
	case c.Sink.Add:
		sink = 1
	}
	four := true
	for _, t := range [...]engine.Tensor{c.C, c.Bias, c.Y, step.M, step.V} {
		four = four && quads(t)
	}
	return []uint64{cuda.Int(s.m), cuda.Int(s.n), cuda.Addr(c.C), cuda.Int(c.C.LD()), cuda.Addr(c.Bias), cuda.Addr(c.Y), cuda.Int(c.Y.LD()),
		cuda.Int(int(c.Act)), cuda.Int(sink), cuda.Bool(four), cuda.Addr(step.M), cuda.Addr(step.V), cuda.F32(step.Rate), cuda.F32(step.Beta1),
		cuda.F32(step.Beta2), cuda.F32(1 - step.Beta1), cuda.F32(1 - step.Beta2), cuda.F32(step.Epsilon)}
}

// quads is whether every fourth element of t's rows is at a 16-byte boundary; so it is of the zero Tensor.
func quads(t engine.Tensor) bool {
	return t.IsZero() || cuda.Addr(t)%16 == 0 && (t.LD()%4 == 0 || t.Rows() == 1)
}

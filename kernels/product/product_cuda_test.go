package product

import (
	"bytes"
	"slices"
	"testing"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/kernels/kerneltest"
)

// The tiles of the published model's products at batch 256, and how busy the multiprocessors of a P40 are
// with them: useful multiplications over what the busiest would do in the time.
func TestPlan(t *testing.T) {
	for _, c := range []struct {
		name           string
		m, n, k        int
		transA, transB bool
		tile           string
		blocks         int
		busy           float64
	}{
		{"fc1", 256, 1024, 36864, false, false, "deep", 16 * 15, 0.99},
		{"fc1-gx", 256, 36864, 1024, false, true, "large", 2 * 288, 0.95},
		{"fc1-gW", 36864, 1024, 256, true, false, "large", 288 * 8, 0.98},
		{"fc2", 256, 4096, 1024, false, false, "wide", 2 * 29, 0.94},
		{"fc2-gx", 256, 1024, 4096, false, true, "deep", 16 * 3, 0.79},
		{"fc2-gW", 1024, 4096, 256, true, false, "wide", 8 * 29, 0.94},
		{"logistic", 256, 3862, 4096, false, false, "deep", 2 * 31 * 3, 0.86},
		{"logistic-gx", 256, 4096, 3862, false, true, "deep", 64 * 3, 0.91},
		{"logistic-gW", 4096, 3862, 256, true, false, "wide", 32 * 27, 0.95},
		{"one video, fc1", 1, 1024, 36864, false, false, "small", 32 * 15, 0},
		{"one video, logistic", 1, 3862, 4096, false, false, "small", 121 * 3, 0},
		{"conv1", 9216, 16, 25, false, false, "small", 288, 0},
		{"nothing to sum", 256, 1024, 0, true, true, "small", 8 * 32, 0},
	} {
		s := sizes{c.m, c.n, c.k}
		p := planOf(&Call{TransA: c.transA, TransB: c.transB}, s)
		if p.name != c.tile || p.grid*p.spans != c.blocks {
			t.Errorf("%s: %d blocks of tile %s, want %d of %s", c.name, p.grid*p.spans, p.name, c.blocks, c.tile)
		}
		waves := (c.blocks + p.resident*multis - 1) / (p.resident * multis)
		busy := float64(c.m) * float64(c.n) * float64(c.k) / (float64(waves*p.resident*multis*p.rows*p.cols) * float64(p.span))
		if busy < c.busy {
			t.Errorf("%s: multiprocessors are %.3f busy, want %.2f", c.name, busy, c.busy)
		}
	}
}

// Spans depend on K alone, cover it, and begin at slabs.
func TestSpans(t *testing.T) {
	for k := range 50000 {
		spans, span := spansOf(k)
		if spans < 1 || spans > 15 || span%slab != 0 || spans*span < k || k > 0 && (spans-1)*span >= k {
			t.Fatalf("K=%d: %d spans of %d", k, spans, span)
		}
		if k <= longestChain && spans > 1 {
			t.Fatalf("K=%d is to be one chain, not %d spans", k, spans)
		}
	}
}

// Every tile gives an element the same bits, with all that may follow the product, at edges and inside, by float4 and by float.
func TestTilesGiveTheSameBits(t *testing.T) {
	shapes := []shape{}
	for form := range forms {
		shapes = append(shapes, shape{m: 132, n: 292, k: 16 + form, form: form, pad: form % 3 * 2})
	}
	shapes = append(shapes, shape{m: 257, n: 128, k: 40, form: timesReLU}, shape{m: 9, n: 148, k: 1032, form: bias}, shape{m: 131, n: 5, k: 1373, form: add, pad: 3})
	for name, d := range kerneltest.Devices(t) {
		d, ok := d.(*cuda.Device)
		if !ok {
			continue
		}
		for i, s := range shapes {
			for _, trans := range [][2]bool{{false, false}, {false, true}, {true, false}} {
				s.transA, s.transB = trans[0], trans[1]
				row := s.row(uint64(i))
				run := func(x tile) [][]byte {
					row.Call = func(_ engine.Device, args []engine.Tensor) error {
						c := s.call(args)
						n, err := c.sizes()
						if err != nil {
							return err
						}
						return c.launch(d, n, x.plan(n))
					}
					got, err := kerneltest.Execute(d, row)
					if err != nil {
						t.Fatalf("%s, %s: %v", name, x.name, err)
					}
					return got
				}
				want := run(small)
				for _, x := range []tile{large, wide, deep} {
					if x.blocks != (s.k > longestChain) || x.name == wide.name && s.transB {
						continue
					}
					for j, got := range run(x) {
						if !bytes.Equal(got, want[j]) {
							t.Errorf("%s: %s: %s differs between tiles %s and small", name, row.Name, row.Args[j].Name, x.name)
						}
					}
				}
			}
		}
	}
}

// Operands whose first element, or whose rows, lie at no 16-byte boundary give the bits of those that do, with K in one chain and
// in blocks, and Adam's step at the end.
func TestUnalignedOperands(t *testing.T) {
	const m, n = 35, 40
	devices := kerneltest.Devices(t)
	for _, k := range []int{27, 1300} {
		r := kerneltest.Rand(4)
		a, b := kerneltest.Normal(r, m*k, 1), kerneltest.Normal(r, k*n, 1)
		c := kerneltest.Normal(r, m*n, 1)
		for i := range c {
			c[i] *= c[i] // as a second moment must be
		}
		for name, d := range devices {
			run := func(skip int) (out []float64) {
				// As many columns before each matrix move it.
				wider := func(name string, data []float32, rows, cols int) kerneltest.Arg {
					x := make([]float32, rows*(cols+skip))
					for i := range rows {
						copy(x[i*(cols+skip)+skip:], data[i*cols:(i+1)*cols])
					}
					return kerneltest.InOut(name, kerneltest.Exact, x, rows, cols+skip).Padded((cols + skip + 3) / 4 * 4)
				}
				got, err := kerneltest.Execute(d, kerneltest.Row{Name: "unaligned", Args: []kerneltest.Arg{
					wider("A", a, m, k), wider("B", b, k, n), wider("w", c, m, n), wider("m", c, m, n), wider("v", c, m, n),
				}, Call: func(d engine.Device, t []engine.Tensor) error {
					for i, cols := range []int{k, n, n, n, n} {
						t[i] = t[i].Columns(skip, skip+cols)
					}
					step := engine.Step{M: t[3], V: t[4], Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
					return Run(d, Call{A: t[0], B: t[1], C: t[2], Sink: engine.Sink{Step: &step}})
				}})
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for _, moved := range got[2:] {
					all := kerneltest.Floats(engine.Float32, moved)
					for i := range m {
						out = append(out, all[i*(n+skip)+skip:(i+1)*(n+skip)]...)
					}
				}
				return out
			}
			want := run(0)
			for _, skip := range []int{1, 2, 4} {
				if !slices.Equal(run(skip), want) {
					t.Errorf("K=%d on %s: other bits where operands begin %d elements later", k, name, skip)
				}
			}
		}
	}
}

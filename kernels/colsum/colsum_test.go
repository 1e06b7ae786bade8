package colsum

import (
	"math"
	"strings"
	"testing"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

func TestRows(t *testing.T) { kerneltest.Run(t, Rows(*kerneltest.Long)) }

// TestGradient: the sum of w·Σ_r x[r,:] has the gradient w in every row.
func TestGradient(t *testing.T) {
	const high, wide = 5, 7
	r := kerneltest.Rand(1)
	x, g, w, sum := make([]float64, high*wide), make([]float64, high*wide), make([]float64, wide), make([]float64, wide)
	for i := range w {
		w[i] = r.NormFloat64()
	}
	for i := range x {
		x[i], g[i] = r.NormFloat64(), w[i%wide]
	}
	kerneltest.Gradient(t, map[string][]float64{"x": x}, map[string][]float64{"x": g}, func() (loss float64) {
		colsum(sum, x, high, wide, false)
		for i := range sum {
			loss += w[i] * sum[i]
		}
		return loss
	})
}

// TestExact: whole numbers below 2^24 are summed without rounding in any order, so every element is
// seen exactly once.
func TestExact(t *testing.T) {
	for _, c := range [][2]int{{25600, 32}, {256, 3001}, {1009, 33}, {70000, 1}} {
		x := make([]float32, c[0]*c[1])
		r := kerneltest.Rand(uint64(c[0]))
		for i := range x {
			x[i] = float32(r.IntN(201) - 100)
		}
		kerneltest.Run(t, []kerneltest.Row{rowTol(x, c[0], c[1], 0, false, kerneltest.Exact)})
	}
}

// TestPrecision: 102,400 rows of 0.1 lose at most 2 ulp of their sum; in one float32 accumulator they
// would lose 1.5e-4 of it, more than a thousand ulp.
func TestPrecision(t *testing.T) {
	x := make([]float32, 102400*3)
	for i := range x {
		x[i] = 0.1
	}
	kerneltest.Run(t, []kerneltest.Row{rowTol(x, 102400, 3, 0, false, kerneltest.Tolerance{Rel: 2.0 / (1 << 23), Why: "2 ulp"})})
}

// TestRank: x of rank 4 is a matrix of all its rows.
func TestRank(t *testing.T) {
	x := kerneltest.Normal(kerneltest.Rand(3), 3*5*7*9, 1)
	flat := row(x, 3*5*7, 9, 0, false)
	deep := flat
	deep.Args = []kerneltest.Arg{kerneltest.In("x", x, 3, 5, 7, 9), flat.Args[1]}
	for on, d := range kerneltest.Devices(t) {
		a, err := kerneltest.Execute(d, flat)
		if err != nil {
			t.Fatal(err)
		}
		b, err := kerneltest.Execute(d, deep)
		if err != nil {
			t.Fatal(err)
		}
		if string(a[1]) != string(b[1]) {
			t.Errorf("%s: rank 4 has other sums", on)
		}
	}
}

// TestColumns: a column has the same bits alone and beside others.
func TestColumns(t *testing.T) {
	const high, wide = 777, 45
	x := kerneltest.Normal(kerneltest.Rand(4), high*wide, 1)
	for on, d := range kerneltest.Devices(t) {
		all, err := kerneltest.Execute(d, row(x, high, wide, 0, false))
		if err != nil {
			t.Fatal(err)
		}
		for c := range wide {
			column := make([]float32, high)
			for r := range column {
				column[r] = x[r*wide+c]
			}
			one, err := kerneltest.Execute(d, row(column, high, 1, 0, false))
			if err != nil {
				t.Fatal(err)
			}
			if string(one[1]) != string(all[1][4*c:4*c+4]) {
				t.Fatalf("%s: column %d has other bits alone", on, c)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	d := host.NewRef()
	m, err := d.Alloc(1024)
	if err != nil {
		t.Fatal(err)
	}
	x, sum := engine.NewTensor(m, 0, engine.Float32, 0, 2, 3), engine.NewTensor(m, 512, engine.Float32, 0, 4)
	for want, err := range map[string]error{
		"colsum: sum is float32[4], want float32[3]":          Run(d, x, sum, engine.Sink{}),
		"colsum: x is float32[], want float32":                Run(d, engine.Tensor{}, sum, engine.Sink{}),
		"colsum: column sums cannot take an optimiser's step": Run(d, x, sum.Prefix(3), engine.Sink{Step: &engine.Step{}}),
		"colsum: x is uint8[2 3], want float32":               Run(d, engine.NewTensor(m, 0, engine.Uint8, 0, 2, 3), sum, engine.Sink{}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
	if s := host.Slice[float32](sum)[0]; s != 0 || math.Signbit(float64(s)) {
		t.Errorf("a refused call wrote %v", s)
	}
}

func TestAllocations(t *testing.T) {
	for on, d := range kerneltest.Devices(t) {
		if d.Separate() {
			continue // the virtual machine allocates for itself
		}
		m, err := d.Alloc(1 << 16)
		if err != nil {
			t.Fatal(err)
		}
		x, sum := engine.NewTensor(m, 0, engine.Float32, 0, 600, 20), engine.NewTensor(m, 60000, engine.Float32, 0, 20)
		if n := testing.AllocsPerRun(10, func() { _ = Run(d, x, sum, engine.Sink{}) }); n != 0 {
			t.Errorf("%s: %v allocations a call", on, n)
		}
	}
}

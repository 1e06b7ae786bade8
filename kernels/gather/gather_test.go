package gather

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

func TestRows(t *testing.T) { kerneltest.Run(t, Rows(*kerneltest.Long)) }

// TestByHand holds every device to a case written out: 3×3 pixels, windows of 2×2, stride 2, padding 1.
func TestByHand(t *testing.T) {
	s := shapeOf(Window{Height: 2, Width: 2, Stride: 2, Pad: 1}, 1, 3, 3, 1)
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}
	want := []float64{0, 0, 0, 1, 0, 0, 2, 3, 0, 4, 0, 7, 5, 6, 8, 9}
	devices := kerneltest.Devices(t)
	devices["ref"] = host.NewRef()
	for on, d := range devices {
		columns := columnsRow(1, s, 0)
		columns.Args[0].Data = x
		out, err := kerneltest.Execute(d, columns)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, kerneltest.Floats(engine.Float32, out[1])); diff != "" {
			t.Errorf("%s: cols (-want +got):\n%s", on, diff)
		}
	}
}

func TestOut(t *testing.T) {
	for _, c := range []struct {
		w          Window
		n, k, want int
	}{
		{Window{Stride: 1}, 28, 5, 24}, {Window{Stride: 2, Pad: 2}, 28, 5, 14}, {Window{Stride: 2}, 28, 5, 12},
		{Window{Stride: 1}, 4, 5, 0}, {Window{Stride: 3}, 1, 5, 0}, {Window{Stride: 3}, 5, 5, 1}, {Window{Stride: 1, Pad: 2}, 1, 5, 1},
	} {
		if got := c.w.Out(c.n, c.k); got != c.want {
			t.Errorf("%+v.Out(%d, %d) = %d, want %d", c.w, c.n, c.k, got, c.want)
		}
	}
}

// TestGradient holds both definitions to differences: the loss is Σ w·Columns(x), whose gradient is
// Back(w).
func TestGradient(t *testing.T) {
	for _, s := range []shape{shapeOf(Window{3, 2, 2, 1}, 2, 5, 4, 3), shapeOf(Window{5, 5, 2, 2}, 1, 7, 7, 1), shapeOf(Window{1, 1, 3, 0}, 1, 4, 4, 2)} {
		nx, ncols := s.dims()
		r := kerneltest.Rand(1)
		x, gx := make([]float64, product(nx)), make([]float64, product(nx))
		w, cols := make([]float64, product(ncols)), make([]float64, product(ncols))
		for i := range x {
			x[i] = r.NormFloat64()
		}
		for i := range w {
			w[i] = r.NormFloat64()
		}
		back(s, gx, w, false)
		kerneltest.Gradient(t, map[string][]float64{"x": x}, map[string][]float64{"x": gx}, func() (loss float64) {
			columns(s, cols, x)
			for i := range cols {
				loss += w[i] * cols[i]
			}
			return loss
		})
	}
}

// TestRounding holds Back to the rounding of its sums on numbers that are not whole.
func TestRounding(t *testing.T) {
	s := shapeOf(Window{5, 5, 1, 2}, 2, 9, 9, 12)
	row := backRow(1, s, 0, false)
	g := kerneltest.Normal(kerneltest.Rand(1), len(row.Args[0].Data.([]float32)), 1)
	size := make([]float64, len(g))
	for i := range g {
		size[i] = math.Abs(float64(g[i]))
	}
	nx, _ := s.dims()
	sums, most := make([]float64, product(nx)), 0.0
	back(s, sums, size, false)
	for _, v := range sums {
		most = max(most, v)
	}
	row.Args[0].Data = g
	row.Args[1].Tol = kerneltest.Tolerance{Abs: 25 * most / (1 << 24), Why: "25 roundings of half an ulp of Σ|g|"}
	kerneltest.Run(t, []kerneltest.Row{row})
}

// TestBatch: an image has the same bits alone and in a batch, forward and backward.
func TestBatch(t *testing.T) {
	const n = 19
	s, one := shapeOf(Window{5, 5, 2, 2}, n, 13, 11, 3), shapeOf(Window{5, 5, 2, 2}, 1, 13, 11, 3)
	for on, d := range kerneltest.Devices(t) {
		for _, rows := range [][2]kerneltest.Row{{columnsRow(1, s, 0), columnsRow(1, one, 0)}, {backRow(1, s, 0, false), backRow(1, one, 0, false)}} {
			data := kerneltest.Normal(kerneltest.Rand(2), product(rows[0].Args[0].Dims), 1)
			rows[0].Args[0].Data = data
			all, err := kerneltest.Execute(d, rows[0])
			if err != nil {
				t.Fatal(err)
			}
			for b := range n {
				rows[1].Args[0].Data = data[b*len(data)/n : (b+1)*len(data)/n]
				alone, err := kerneltest.Execute(d, rows[1])
				if err != nil {
					t.Fatal(err)
				}
				if size := len(all[1]) / n; string(alone[1]) != string(all[1][b*size:(b+1)*size]) {
					t.Fatalf("%s: %s: image %d has other bits alone", on, rows[0].Name, b)
				}
			}
		}
	}
}

func TestErrors(t *testing.T) {
	d := host.NewRef()
	m, err := d.Alloc(1 << 16)
	if err != nil {
		t.Fatal(err)
	}
	w := Window{Height: 2, Width: 2, Stride: 1}
	x, cols := engine.NewTensor(m, 0, engine.Float32, 0, 2, 4, 4, 3), engine.NewTensor(m, 4096, engine.Float32, 0, 2, 3, 3, 12)
	for want, err := range map[string]error{
		"gather: cols is float32[2 3 3 12], want float32[2 4 4 3]":     Columns(d, Window{1, 1, 1, 0}, x, cols),
		"gather: x is float32[96], want float32[-1 -1 -1 -1]":          Columns(d, w, x.Reshape(96), cols),
		"gather: gcols is float32[1 3 3 12], want float32[2 3 3 12]":   Back(d, w, cols.Prefix(1), x, engine.Sink{}),
		"gather: windows of 2x2 pixels, stride 0, padding 0 cannot be": Columns(d, Window{2, 2, 0, 0}, x, cols),
		"gather: windows of 0x2 pixels":                                Back(d, Window{0, 2, 1, 0}, cols, x, engine.Sink{}),
		"gather: windows of 2x2 pixels, stride 1, padding -1":          Back(d, Window{2, 2, 1, -1}, cols, x, engine.Sink{}),
		"cannot take an optimiser's step":                              Back(d, w, cols, x, engine.Sink{Step: &engine.Step{}}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
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
		x, cols := engine.NewTensor(m, 0, engine.Float32, 0, 2, 4, 4, 3), engine.NewTensor(m, 4096, engine.Float32, 0, 2, 3, 3, 12)
		if n := testing.AllocsPerRun(10, func() {
			_ = Columns(d, Window{2, 2, 1, 0}, x, cols)
			_ = Back(d, Window{2, 2, 1, 0}, cols, x, engine.Sink{})
		}); n != 0 {
			t.Errorf("%s: %v allocations a call", on, n)
		}
	}
}

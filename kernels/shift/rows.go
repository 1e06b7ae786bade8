package shift

import (
	"fmt"
	"math"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// What the mask does in a row of the table.
const (
	drawn = iota
	given
	evaluated
)

// How large the features are.
const (
	usual   = iota
	tiny    // sums of squares near 1e-12
	huge    // squares beyond float32
	unknown // one NaN and one infinity
)

// layout is how rows of y and gy lie, and where in the representation they begin.
type layout struct{ pad, column int }

// Units at any place, and at multiples of four elements, which CUDA reads in groups.
var uneven, even = layout{11, 5}, layout{12, 8}

// Rows is the kernel's table of cases, forward and backward.
func Rows(long bool) []kerneltest.Row {
	var rows []kerneltest.Row
	// Around a vector, around four, around a block of 1,024 and two of them; primes.
	lengths := []int{1, 3, 7, 8, 9, 17, 31, 32, 33, 67, 131, 513, 1023, 1024, 1025, 2053}
	for i, c := range kerneltest.Cover(long, []int{0, 1, 3}, []int{1, 2, 5}, lengths, []int{drawn, given, evaluated}, []int{0, 1}, []int{usual, usual, tiny, huge, unknown}) {
		s := size{c[0], c[1], c[2]}
		rows = append(rows, forwardRow(uint64(i), s, uneven, c[3], c[5]), backwardRow(uint64(i), s, uneven, c[3], c[5], c[4] == 1))
	}
	// Around a group of four, a warp's 128 elements and its eight groups of them.
	lengths = []int{4, 8, 124, 128, 132, 512, 900, 1020, 1024, 1028}
	for i, c := range kerneltest.Cover(long, []int{1, 3}, []int{1, 5}, lengths, []int{drawn, drawn, given, evaluated}, []int{0, 1}, []int{usual, usual, tiny, huge, unknown}) {
		s := size{c[0], c[1], c[2]}
		rows = append(rows, forwardRow(uint64(i), s, even, c[3], c[5]), backwardRow(uint64(i), s, even, c[3], c[5], c[4] == 1))
	}
	// More units than one task takes, and more than one range of columns; more videos than one turn of
	// those that sum over them.
	s, deep := size{9, 33, 131}, size{67, 2, 4}
	return append(rows, forwardRow(1, s, uneven, drawn, usual), backwardRow(1, s, uneven, drawn, usual, false),
		backwardRow(2, deep, even, drawn, usual, false), backwardRow(3, deep, uneven, given, usual, true))
}

// input is what a row is made of.
type input struct {
	v, alpha, beta, norm, gy []float32
	keep                     []uint8
}

func draw(seed uint64, s size, kind int) input {
	r := kerneltest.Rand(seed)
	n := s.b * s.units * s.d
	scale := map[int]float64{usual: 1, tiny: 1e-6 / math.Sqrt(float64(s.d)), huge: 1e25, unknown: 1}[kind]
	in := input{
		v: kerneltest.Normal(r, n, scale), alpha: kerneltest.Normal(r, s.units, 1), beta: kerneltest.Normal(r, s.units, scale),
		norm: make([]float32, s.b*s.units), gy: kerneltest.Normal(r, n, 1), keep: kerneltest.Bytes(r, n),
	}
	for i := range in.keep {
		in.keep[i] &= 1
	}
	if kind == unknown && n > 0 {
		in.v[n/2], in.v[n-1] = float32(math.NaN()), float32(math.Inf(1))
	}
	forward(s, engine.Mask{}, in.v, in.alpha, in.beta, make([]float32, n), s.units*s.d, in.norm)
	return in
}

func maskFor(kind, column int, t engine.Tensor) engine.Mask {
	m := engine.Mask{Rate: 0.5, Train: kind != evaluated, Seed: 0x123456789a, Step: 7, Layer: 2, First: 3, Column: column}
	if kind == given {
		m.Given = t
	}
	return m
}

func forwardRow(seed uint64, s size, at layout, mask, kind int) kerneltest.Row {
	in, width := draw(seed, s, kind), s.units*s.d
	rel, y := 0.0, 0.0
	eachUnit(s, func(b, i int) {
		u := unitOf(s, in.v, in.alpha, in.beta, in.norm, in.gy, width, b, i)
		rel, y = max(rel, u.relative()), max(y, u.y)
	})
	return kerneltest.Row{
		Kernel: "shift", Name: fmt.Sprintf("forward_B%d_C%d_D%d_column%d_mask%d_kind%d", s.b, s.units, s.d, at.column, mask, kind),
		Args: []kerneltest.Arg{
			kerneltest.In("v", in.v, s.b, s.units, s.d),
			kerneltest.In("alpha", in.alpha, s.units),
			kerneltest.In("beta", in.beta, s.units),
			kerneltest.In("keep", in.keep, s.b, width).Padded(width + 3),
			kerneltest.Out("y", kerneltest.Tolerance{Abs: y, Rel: rel, Why: "norm's error, and u rounded twice"}, s.b, width).Padded(width + at.pad),
			kerneltest.Out("norm", kerneltest.Tolerance{Rel: rel, Why: "a sum of squares of rounded u in blocks"}, s.b, s.units),
		},
		Call: func(d engine.Device, t []engine.Tensor) error {
			return Forward(d, t[0], t[1], t[2], t[4], t[5], maskFor(mask, at.column, t[3]))
		},
	}
}

func backwardRow(seed uint64, s size, at layout, mask, kind int, add bool) kerneltest.Row {
	in, width := draw(seed, s, kind), s.units*s.d
	row := forwardRow(seed, s, at, mask, kind)
	gv, galpha, gbeta := 0.0, 4e-7, 4e-7 // half an ulp of what is added to, up to 4
	eachUnit(s, func(b, i int) {
		u := unitOf(s, in.v, in.alpha, in.beta, in.norm, in.gy, width, b, i)
		gv, galpha, gbeta = max(gv, u.gv), galpha+u.galpha, gbeta+u.gbeta
	})
	tol := func(abs float64) kerneltest.Tolerance {
		return kerneltest.Tolerance{Abs: abs, Rel: 1e-6, Why: "two terms that cancel, the second with a sum over d"}
	}
	row.Name = fmt.Sprintf("backward_B%d_C%d_D%d_column%d_mask%d_kind%d_add%v", s.b, s.units, s.d, at.column, mask, kind, add)
	r := kerneltest.Rand(seed + 1)
	row.Args = append(row.Args[:4:4],
		kerneltest.In("norm", in.norm, s.b, s.units),
		kerneltest.In("gy", in.gy, s.b, width).Padded(width+at.pad),
		kerneltest.Out("gv", tol(gv), s.b, s.units, s.d),
		kerneltest.InOut("galpha", tol(galpha), kerneltest.Normal(r, s.units, 1), s.units),
		kerneltest.InOut("gbeta", tol(gbeta), kerneltest.Normal(r, s.units, 1), s.units),
		kerneltest.Room("work", 2, s.b, s.units),
	)
	row.Call = func(d engine.Device, t []engine.Tensor) error {
		return Backward(d, t[0], t[1], t[2], t[4], t[5], t[6], t[7], t[8], t[9], maskFor(mask, at.column, t[3]), engine.Sink{Add: add})
	}
	return row
}

func eachUnit(s size, f func(b, i int)) {
	for b := range s.b {
		for i := range s.units {
			f(b, i)
		}
	}
}

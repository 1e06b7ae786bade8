package dropout

import (
	"fmt"
	"math"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// Where a row's mask comes from.
const (
	drawn = iota
	given
	evaluation
	nothing // training at rate 0
)

// Rows is the kernel's table of cases.
func Rows(long bool) []kerneltest.Row {
	rows := []int{0, 1, 2, 5}
	// Around a block of four draws, a group of them, a chunk of 1,024 and two of them; primes.
	cols := []int{0, 1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 127, 1009, 1023, 1024, 1025, 2053}
	columns := []int{0, 1, 2, 3, 4, 4097, math.MaxUint32 - 2053}
	firsts := []int{0, 1, 255, math.MaxUint32 - 5}
	modes := []int{drawn, drawn, given, evaluation, nothing}
	pads := []int{0, 3}
	var table []kerneltest.Row
	for i, c := range kerneltest.Cover(false, rows, cols, columns, firsts, modes, pads, []int{0, 1}) {
		table = append(table, row(uint64(i), c[0], c[1], c[2], c[3], c[4], c[5], c[6] == 1))
	}
	if long {
		for i, c := range kerneltest.Cover(true, cols, columns, modes, []int{0, 1}) {
			table = append(table, row(uint64(i), 3, c[0], c[1], 7, c[2], 1, c[3] == 1))
		}
	}
	// Fours: around a warp's 128 columns and a block's 1,024, from several rows.
	for i, c := range kerneltest.Cover(long, []int{4, 124, 128, 132, 1020, 1024, 1028}, []int{0, 8, math.MaxUint32 - 2055}, modes, []int{0, 4}, []int{0, 1}) {
		table = append(table, row(uint64(i), 3, c[0], c[1], 7, c[2], c[3], c[4] == 1))
	}
	// More rows than one task takes.
	return append(table, row(1, 300, 130, 2, 5, drawn, 0, false), row(2, 41, 1640, 3, 5, drawn, 1, true))
}

func row(seed uint64, rows, cols, column, first, mode, pad int, add bool) kerneltest.Row {
	r := kerneltest.Rand(seed)
	// Words with all their bits, so that none is lost on its way to the counter.
	m := engine.Mask{Rate: 0.5, Train: mode != evaluation, Seed: r.Uint64(), Step: r.Uint32(), Layer: r.Uint32(), First: first, Column: column}
	tol := kerneltest.Exact
	switch {
	case mode == nothing:
		m.Rate = 0
	case mode == evaluation:
		m.Rate = 0.3
		tol = kerneltest.Tolerance{Abs: 1e-45, Rel: 1.8e-7, Why: "1−rate and the product, each rounded"}
		if add {
			tol.Abs, tol.Why = 5e-7, "1−rate, the product and the sum, each rounded, of terms up to 4 that may cancel"
		}
	case seed%3 == 1:
		m.Rate = 0.999
	case seed%3 == 2:
		m.Rate = r.Float64()
	}
	keep := kerneltest.Bytes(r, rows*cols)
	for i := range keep {
		keep[i] &= 1
	}
	y := kerneltest.Out("y", tol, rows, cols)
	if add {
		y = kerneltest.InOut("y", tol, kerneltest.Normal(r, rows*cols, 1), rows, cols)
	}
	x := kerneltest.Normal(r, rows*cols, 1)
	if rows*cols > 40 { // 0·NaN and 0·∞ are NaN: a dropped one still shows
		x[7], x[19], x[33] = float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))
	}
	return kerneltest.Row{
		Kernel: "dropout",
		Name:   fmt.Sprintf("%dx%d_column%d_first%d_mode%d_pad%d_add%v", rows, cols, column, first, mode, pad, add),
		Args: []kerneltest.Arg{
			kerneltest.In("x", x, rows, cols).Padded(cols + pad),
			kerneltest.In("given", keep, rows, cols).Padded(cols + 2*pad),
			y.Padded(cols + 4*pad),
		},
		Call: func(d engine.Device, t []engine.Tensor) error {
			m := m
			if mode == given {
				m.Given = t[1]
			}
			if add {
				return Backward(d, m, t[0], t[2], engine.Sink{Add: true})
			}
			return Forward(d, m, t[0], t[2])
		},
	}
}

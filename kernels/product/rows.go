package product

import (
	"fmt"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// shape is a row of the table.
type shape struct {
	m, n, k        int
	transA, transB bool
	form           int // what follows the product
	pad            int
}

// What follows the product.
const (
	plain = iota
	bias
	biasTanh
	biasReLU
	timesTanh
	timesReLU
	add
	timesTanhAdd
	step
	forms
)

// Rows is the kernel's table of cases.
func Rows(long bool) []kerneltest.Row {
	edges := []int{0, 1, 3, 8, 9, 31, 33, 47, 49}
	list := []int{}
	for f := range forms {
		list = append(list, f)
	}
	var rows []kerneltest.Row
	for i, c := range kerneltest.Cover(long, edges, edges, []int{0, 1, 7, 255, 256, 257, 521}, []int{0, 1}, []int{0, 1}, list, []int{0, 5}) {
		rows = append(rows, shape{c[0], c[1], c[2], c[3] == 1, c[4] == 1, c[5], c[6]}.row(uint64(i)))
	}
	// Several tasks along M and N, several spans of K, operands too large to share.
	for i, s := range []shape{
		{m: 257, n: 193, k: 40, form: step},
		{m: 521, n: 389, k: 11, transA: true, form: add, pad: 3},
		{m: 5, n: 401, k: 4099, transB: true, form: biasTanh},
		{m: 3, n: 7, k: 36864, form: add},
		{m: 2, n: 385, k: 8195, transA: true, transB: true, form: step},
		{m: 1031, n: 16, k: 25, form: biasReLU},
		// Every way in which the CUDA device cuts a product, with rows that it reads four at a time and with others.
		{m: 640, n: 640, k: 28, form: bias}, {m: 640, n: 640, k: 27, pad: 3, form: add},
		{m: 640, n: 640, k: 28, transB: true, form: timesTanh}, {m: 640, n: 640, k: 27, transB: true, pad: 3},
		{m: 640, n: 640, k: 27, transA: true, form: step}, {m: 640, n: 637, k: 27, transA: true, pad: 3},
		{m: 256, n: 4096, k: 28, form: biasReLU}, {m: 256, n: 4093, k: 27, pad: 2},
		{m: 256, n: 4096, k: 27, transA: true, form: step}, {m: 256, n: 4093, k: 27, transA: true, pad: 2},
		{m: 20, n: 40, k: 1100}, {m: 20, n: 40, k: 1100, pad: 3},
		{m: 20, n: 40, k: 1100, transB: true}, {m: 20, n: 40, k: 1100, transB: true, pad: 3},
		{m: 20, n: 40, k: 1100, transA: true}, {m: 20, n: 40, k: 1100, transA: true, pad: 3},
		{m: 40, n: 40, k: 44}, {m: 40, n: 40, k: 44, pad: 3},
		{m: 40, n: 40, k: 44, transB: true}, {m: 40, n: 40, k: 44, transB: true, pad: 3},
		{m: 40, n: 40, k: 44, transA: true}, {m: 40, n: 40, k: 44, transA: true, pad: 3},
		{m: 40, n: 40, k: 44, transA: true, transB: true}, {m: 40, n: 40, k: 44, transA: true, transB: true, pad: 3},
	} {
		rows = append(rows, s.row(uint64(1000+i)))
	}
	return rows
}

func (s shape) row(seed uint64) kerneltest.Row {
	r := kerneltest.Rand(seed)
	// Rounding of K products of size about 1, in blocks of 256: the standard bound is
	// (256 + K/256)·2^-24 times the sum of magnitudes; errors are random, so their size is about the
	// root of that times the root of K.
	tol := kerneltest.Tolerance{Abs: 1e-6 + 2e-7*float64(min(s.k, 256)+s.k/64), Rel: 2e-6, Why: "sums in blocks of 256, random signs"}
	matrix := func(name string, rows, cols int) kerneltest.Arg {
		return kerneltest.In(name, kerneltest.Normal(r, rows*cols, 1), rows, cols).Padded(cols + s.pad)
	}
	ad, bd := [2]int{s.m, s.k}, [2]int{s.k, s.n}
	if s.transA {
		ad = [2]int{s.k, s.m}
	}
	if s.transB {
		bd = [2]int{s.n, s.k}
	}
	args := []kerneltest.Arg{
		matrix("A", ad[0], ad[1]), matrix("B", bd[0], bd[1]),
		kerneltest.Out("C", tol, s.m, s.n).Padded(s.n + s.pad),
		kerneltest.In("bias", kerneltest.Normal(r, s.n, 1), s.n),
		kerneltest.In("Y", kerneltest.Normal(r, s.m*s.n, 0.5), s.m, s.n).Padded(s.n + s.pad),
	}
	if s.form >= add && s.form != timesTanh {
		args[2] = kerneltest.InOut("C", tol, kerneltest.Normal(r, s.m*s.n, 1), s.m, s.n).Padded(s.n + s.pad)
	}
	if s.form == step {
		// Adam divides by the root of the second moment, which is at least 0.5 here.
		tol.Abs = 1e-6 + 1e-2*tol.Abs
		args[2].Tol = tol
		moments := func(name string) kerneltest.Arg {
			v := kerneltest.Normal(r, s.m*s.n, 0.1)
			for i := range v {
				v[i] = v[i]*v[i] + 0.25
			}
			loose := kerneltest.Tolerance{Abs: 1e-6, Rel: 1e-4, Why: "the product's error times its size"}
			return kerneltest.InOut(name, loose, v, s.m, s.n).Padded(s.n + s.pad)
		}
		args = append(args, moments("m"), moments("v"))
	}
	return kerneltest.Row{
		Kernel: "product",
		Name: fmt.Sprintf("M%d_N%d_K%d_%s_%s_pad%d", s.m, s.n, s.k, [2]string{"N", "T"}[index(s.transA)]+[2]string{"N", "T"}[index(s.transB)],
			[...]string{"plain", "bias", "bias+tanh", "bias+relu", "tanh'", "relu'", "add", "tanh'+add", "step"}[s.form], s.pad),
		Args: args,
		Call: func(d engine.Device, t []engine.Tensor) error { return Run(d, s.call(t)) },
	}
}

func (s shape) call(t []engine.Tensor) Call {
	c := Call{TransA: s.transA, TransB: s.transB, A: t[0], B: t[1], C: t[2]}
	switch s.form {
	case bias, biasTanh, biasReLU:
		c.Bias = t[3]
	case timesTanh, timesReLU, timesTanhAdd:
		c.Y = t[4]
	case step:
		c.Sink.Step = &engine.Step{M: t[5], V: t[6], Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	}
	switch s.form {
	case biasTanh, timesTanh, timesTanhAdd:
		c.Act = Tanh
	case biasReLU, timesReLU:
		c.Act = ReLU
	}
	c.Sink.Add = s.form == add || s.form == timesTanhAdd
	return c
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

package adam

import (
	"fmt"
	"math"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// Rows is the kernel's table of cases.
func Rows(long bool) []kerneltest.Row {
	var rows []kerneltest.Row
	// Around a vector, around a task of 65,536, and primes.
	sizes := []int{0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 1009, 65535, 65536, 65537, 131101}
	for i, c := range kerneltest.Cover(long, sizes, []int{0, 1}) {
		rows = append(rows, row(uint64(i), c[0], c[1] == 1))
	}
	return rows
}

func row(seed uint64, n int, scaled bool) kerneltest.Row {
	r := kerneltest.Rand(seed)
	v := kerneltest.Normal(r, n, 1)
	for i := range v {
		v[i] = float32(math.Abs(float64(v[i])))
	}
	tol := kerneltest.Tolerance{Abs: 1e-8, Rel: 1e-6, Why: "six float32 roundings"}
	// The first moment's two terms, up to 5 in size, may cancel.
	cancel := kerneltest.Tolerance{Abs: 3e-7, Rel: 1e-6, Why: "half an ulp of each of two terms up to 5"}
	scale := float32(1)
	if scaled {
		scale = 0.37
	}
	return kerneltest.Row{
		Kernel: "adam",
		Name:   fmt.Sprintf("n%d_scaled%v", n, scaled),
		Args: []kerneltest.Arg{
			kerneltest.InOut("w", tol, kerneltest.Normal(r, n, 1), n),
			kerneltest.In("g", kerneltest.Normal(r, n, 1), n),
			kerneltest.InOut("m", cancel, kerneltest.Normal(r, n, 1), n),
			kerneltest.InOut("v", tol, v, n),
			kerneltest.In("scale", []float32{scale}, 1),
		},
		Call: func(d engine.Device, t []engine.Tensor) error {
			s := &engine.Step{M: t[2], V: t[3], Rate: Rate(1e-3, 0.9, 0.999, 3), Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
			by := t[4]
			if !scaled {
				by = engine.Tensor{}
			}
			return Update(d, t[0], t[1], s, by)
		},
	}
}

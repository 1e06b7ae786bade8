package norm

import (
	"fmt"
	"math"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// Rows is the kernel's table of cases.
func Rows(long bool) []kerneltest.Row {
	var rows []kerneltest.Row
	// Around 32 accumulators, a block of 65,536, and primes.
	sizes := []int{0, 1, 2, 31, 32, 33, 63, 64, 65, 1009, 65535, 65536, 65537, 131101}
	for i, c := range kerneltest.Cover(long, sizes, []int{0, 1, 10000}) {
		g := kerneltest.Normal(kerneltest.Rand(uint64(i)), c[0], 1)
		rows = append(rows, row(fmt.Sprintf("n%d_clip%d", c[0], c[1]), g, float64(c[1]), c[0]))
	}
	inf, nan, most := float32(math.Inf(1)), float32(math.NaN()), float32(math.MaxFloat32)
	return append(rows,
		row("rank3", kerneltest.Normal(kerneltest.Rand(1), 3*5*7, 1), 1, 3, 5, 7),
		row("zero", make([]float32, 40), 1, 40),
		row("nan", []float32{1, 2, nan, 4}, 1, 4),
		row("nan_unclipped", []float32{1, 2, nan, 4}, 0, 4),
		row("inf", []float32{1, -inf, 3}, 1, 3),
		row("inf_unclipped", []float32{1, inf, 3}, 0, 3),
		row("overflow", []float32{most, most, most, most}, 1, 4), // ‖g‖ is twice the largest float32
		row("largest", []float32{most}, 1, 1),
		row("smallest", []float32{1e-45, -1e-45, 3e-45}, 1, 3), // squares far below float32
		row("at_clip", []float32{3, 4}, 5, 2),
	)
}

func row(name string, g []float32, clip float64, dims ...int) kerneltest.Row {
	tol := kerneltest.Tolerance{Abs: math.SmallestNonzeroFloat32, Rel: 1.0 / (1 << 23), Why: "float64 sums in another order, rounded once: 1 ulp"}
	return kerneltest.Row{
		Kernel: "norm",
		Name:   name,
		Args:   []kerneltest.Arg{kerneltest.In("g", g, dims...), kerneltest.Out("out", tol, 2)},
		Call: func(d engine.Device, t []engine.Tensor) error {
			return Run(d, t[0], t[1], clip)
		},
	}
}

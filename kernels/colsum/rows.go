package colsum

import (
	"fmt"
	"math"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// Rows is the kernel's table of cases.
func Rows(long bool) []kerneltest.Row {
	var rows []kerneltest.Row
	// Around eight rows and a block of 256; around a vector, a tile of 512 columns, and primes.
	high := []int{0, 1, 2, 7, 8, 9, 31, 32, 33, 255, 256, 257, 1009}
	wide := []int{0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 127, 511, 512, 513}
	for i, c := range kerneltest.Cover(long, high, wide, []int{0, 3}, []int{0, 1}) {
		x := kerneltest.Normal(kerneltest.Rand(uint64(i)), c[0]*c[1], 1)
		rows = append(rows, row(x, c[0], c[1], c[2], c[3] == 1))
	}
	// More than 4,096 terms, all of one sign, so that the sum outgrows them.
	x := kerneltest.Normal(kerneltest.Rand(1), 25600*5, 1)
	for i := range x {
		x[i] = float32(math.Abs(float64(x[i])))
	}
	long32 := row(x, 25600, 5, 0, false)
	long32.Name += "_positive"
	// NaN and infinity reach their own column only.
	x = kerneltest.Normal(kerneltest.Rand(2), 300*40, 1)
	x[17*40+3], x[299*40+39], x[1*40+8] = float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))
	special := row(x, 300, 40, 0, false)
	special.Name += "_special"
	return append(rows, long32, special)
}

func row(x []float32, high, wide, pad int, add bool) kerneltest.Row {
	return rowTol(x, high, wide, pad, add, tolerance(x, high, wide))
}

// tolerance is the bound of a sum in eights: a term takes part in 3 float32 roundings within its eight
// rows, each of half an ulp of at most Σ|x|, those of float64 do not show, and the result is rounded.
func tolerance(x []float32, high, wide int) kerneltest.Tolerance {
	var most float64
	for c := range wide {
		var total float64
		for r := range high {
			if v := math.Abs(float64(x[r*wide+c])); v <= math.MaxFloat32 {
				total += v
			}
		}
		most = max(most, total)
	}
	return kerneltest.Tolerance{Abs: 3 * most / (1 << 24), Rel: 1.0 / (1 << 23), Why: "3 roundings of half an ulp of Σ|x|, and of the result"}
}

func rowTol(x []float32, high, wide, pad int, add bool, tol kerneltest.Tolerance) kerneltest.Row {
	sum := kerneltest.Out("sum", tol, wide)
	if add {
		sum = kerneltest.InOut("sum", tol, kerneltest.Normal(kerneltest.Rand(uint64(wide)), wide, 1), wide)
	}
	return kerneltest.Row{
		Kernel: "colsum",
		Name:   fmt.Sprintf("%dx%d_pad%d_add%v", high, wide, pad, add),
		Args:   []kerneltest.Arg{kerneltest.In("x", x, high, wide).Padded(wide + pad), sum},
		Call: func(d engine.Device, t []engine.Tensor) error {
			return Run(d, t[0], t[1], engine.Sink{Add: add})
		},
	}
}

package topk

import (
	"fmt"
	"math"
	"slices"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// Rows is the kernel's table of cases.
func Rows(long bool) []kerneltest.Row {
	var rows []kerneltest.Row
	batch := []int{0, 1, 2, 31, 33}
	// Around a vector, four vectors of each width, and primes.
	classes := []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 1009}
	best := []int{0, 1, 2, 3, 7, 8, 20, 31, 32, 33, 1009}
	for i, c := range kerneltest.Cover(long, batch, classes, best, []int{0, 3}, []int{0, 1, 2, 3}) {
		p := scores(uint64(i), c[0]*c[1], c[4])
		rows = append(rows, row(fmt.Sprintf("_%s", kinds[c[4]]), p, c[0], c[1], min(c[1], c[2]), c[3]))
	}
	inf, nan, minus := math.Inf(1), math.NaN(), math.Copysign(0, -1)
	special := []float32{float32(nan), 0, float32(minus), float32(-inf), float32(inf), float32(nan), 1, float32(minus), 0,
		float32(inf), float32(-inf), -1, float32(nan), 1e-45, -1e-45}
	for len(special) < 150 {
		special = append(special, special[len(special)-11])
	}
	allNaN := slices.Repeat([]float32{float32(nan)}, 100)
	rising := make([]float32, 1000)
	for i := range rising {
		rising[i] = float32(i)
	}
	falling := slices.Clone(rising)
	slices.Reverse(falling)
	late := slices.Repeat([]float32{float32(nan)}, 100)
	late[99], late[64] = float32(-inf), 3
	return append(rows,
		row("_special", special, 1, 150, 150, 0), row("_special", special, 3, 50, 20, 0), row("_special", special, 10, 15, 7, 1),
		row("_nan", allNaN, 1, 100, 20, 0), row("_late", late, 1, 100, 20, 0),
		row("_rising", rising, 1, 1000, 20, 0), row("_falling", falling, 1, 1000, 20, 0), row("_all", rising, 1, 1000, 1000, 0),
		row("_published", scores(1, 7*3862, 0), 7, 3862, 20, 2),
	)
}

var kinds = [...]string{"normal", "ties", "nans", "equal"}

// scores is n values: normal, of seven different ones, normal with a quarter NaN, or all equal.
func scores(seed uint64, n, kind int) []float32 {
	r := kerneltest.Rand(seed)
	p := kerneltest.Normal(r, n, 1)
	for i := range p {
		switch {
		case kind == 1:
			p[i] = float32(r.IntN(7) - 3)
		case kind == 2 && r.IntN(4) == 0:
			p[i] = float32(math.NaN())
		case kind == 3:
			p[i] = 0.5
		}
	}
	return p
}

func row(name string, p []float32, b, classes, k, pad int) kerneltest.Row {
	index := kerneltest.OutInt32("classes", b, k)
	return kerneltest.Row{
		Kernel: "topk",
		Name:   fmt.Sprintf("B%d_K%d_k%d_pad%d%s", b, classes, k, pad, name),
		Args: []kerneltest.Arg{
			kerneltest.In("p", p, b, classes).Padded(classes + pad),
			kerneltest.Out("values", kerneltest.Exact, b, k).Padded(k + 2*pad),
			index.Padded(k + 3*pad),
		},
		Call: func(d engine.Device, t []engine.Tensor) error { return Run(d, t[0], t[1], t[2]) },
	}
}

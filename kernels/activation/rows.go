package activation

import (
	"fmt"
	"math"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// Rows is the kernel's table of cases: every function at edge shapes, forward and backward, padded or
// not, storing or adding, and values out of the ordinary.
func Rows(long bool) []kerneltest.Row {
	var rows []kerneltest.Row
	kinds := []int{int(Tanh), int(ReLU), int(Sigmoid)}
	// Around a vector, a prime, and around a task's piece of 16,384.
	cols := []int{0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 1009, 16383, 16384, 16385}
	for i, c := range kerneltest.Cover(long, kinds, []int{0, 1, 2, 33}, cols, []int{0, 5}) {
		x := kerneltest.Normal(kerneltest.Rand(uint64(i)), c[1]*c[2], 2)
		rows = append(rows, forwardRow(Kind(c[0]), x, c[1], c[2], c[3]))
	}
	for i, c := range kerneltest.Cover(long, kinds, []int{0, 1, 2, 33}, cols, []int{0, 5}, []int{0, 1}) {
		x := kerneltest.Normal(kerneltest.Rand(uint64(1000+i)), c[1]*c[2], 2)
		rows = append(rows, backwardRow(Kind(c[0]), x, c[1], c[2], c[3], c[4] == 1))
	}
	for _, k := range kinds {
		x := special()
		f, g := forwardRow(Kind(k), x, 1, len(x), 0), backwardRow(Kind(k), x, 1, len(x), 0, false)
		f.Name, g.Name = f.Name+"_special", g.Name+"_special"
		rows = append(rows, f, g)
	}
	return rows
}

// special is zeros, infinities, NaN, the ends of the range, and where a function's value changes its
// form.
func special() []float32 {
	var x []float32
	for _, v := range []float64{0, 1e-45, 1e-38, 1.2e-38, 1e-20, 1e-4, 0.6249999, 0.625, 0.6250001, 1, 9, 9.02, 20, 87, 87.5,
		88.72, 88.73, 89, 100, 103.9, 104, 1e30, math.MaxFloat32, math.Inf(1)} {
		x = append(x, float32(v), float32(-v), float32(math.Copysign(v, -1)))
	}
	return append(x, float32(math.NaN()))
}

// tolerance is 4 ulp of the value, 2⁻²³ of it each at most, and of float32's smallest numbers.
var tolerance = kerneltest.Tolerance{Abs: 4 * math.SmallestNonzeroFloat32, Rel: 4.0 / (1 << 23), Why: "4 ulp"}

func forwardRow(k Kind, x []float32, rows, cols, pad int) kerneltest.Row {
	return kerneltest.Row{
		Kernel: "activation",
		Name:   fmt.Sprintf("%v_%dx%d_pad%d", k, rows, cols, pad),
		Args: []kerneltest.Arg{
			kerneltest.In("x", x, rows, cols).Padded(cols + pad),
			kerneltest.Out("y", tolerance, rows, cols).Padded(cols + 2*pad),
		},
		Call: func(d engine.Device, t []engine.Tensor) error { return Forward(d, k, t[0], t[1]) },
	}
}

func backwardRow(k Kind, x []float32, rows, cols, pad int, add bool) kerneltest.Row {
	r := kerneltest.Rand(uint64(rows*cols + pad))
	y, gy := make([]float32, len(x)), kerneltest.Normal(r, len(x), 1)
	forward(k, y, x)
	tol := tolerance
	gx := kerneltest.Out("gx", tol, rows, cols)
	if add {
		// The term is at most |gy| < 6 in size, and may cancel against what is there.
		tol.Abs, tol.Why = 6*tol.Rel, "4 ulp of a term up to 6, and of the sum"
		gx = kerneltest.InOut("gx", tol, kerneltest.Normal(r, len(x), 1), rows, cols)
	}
	return kerneltest.Row{
		Kernel: "activation",
		Name:   fmt.Sprintf("%v_gradient_%dx%d_pad%d_add%v", k, rows, cols, pad, add),
		Args: []kerneltest.Arg{
			kerneltest.In("y", y, rows, cols).Padded(cols + 3*pad),
			kerneltest.In("gy", gy, rows, cols).Padded(cols + pad),
			gx.Padded(cols + 2*pad),
		},
		Call: func(d engine.Device, t []engine.Tensor) error {
			return Backward(d, k, t[0], t[1], t[2], engine.Sink{Add: add})
		},
	}
}

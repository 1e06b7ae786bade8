package gather

import (
	"fmt"
	"math"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// Rows is the kernel's table of cases, forward and backward.
func Rows(long bool) []kerneltest.Row {
	var rows []kerneltest.Row
	windows := [][2]int{{1, 1}, {2, 2}, {3, 3}, {5, 5}, {1, 3}, {4, 2}}
	batch, height, width := []int{0, 1, 3}, []int{1, 5, 8}, []int{1, 4, 7}
	channels := []int{1, 3, 8, 17} // around a vector
	for i, c := range kerneltest.Cover(long, batch, height, width, channels, []int{0, 1, 2, 3, 4, 5}, []int{1, 2, 3}, []int{0, 1, 3}, []int{0, 3}) {
		w := Window{Height: windows[c[4]][0], Width: windows[c[4]][1], Stride: c[5], Pad: c[6]}
		s := shapeOf(w, c[0], c[1], c[2], c[3])
		rows = append(rows, columnsRow(uint64(i), s, c[7]), backRow(uint64(i), s, c[7], i%2 == 1))
	}
	// The extractor's layers, and more than one task.
	for i, s := range []shape{shapeOf(Window{5, 5, 2, 2}, 9, 28, 28, 1), shapeOf(Window{3, 3, 1, 1}, 5, 14, 14, 32), shapeOf(Window{3, 3, 2, 0}, 2, 33, 31, 9)} {
		rows = append(rows, columnsRow(uint64(i), s, 0), backRow(uint64(i), s, 0, false), backRow(uint64(i), s, 0, true))
	}
	r := columnsRow(1, shapeOf(Window{3, 3, 1, 1}, 1, 6, 6, 2), 0)
	x := r.Args[0].Data.([]float32)
	x[0], x[31], x[71] = float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))
	r.Name += "_special"
	b := backRow(1, shapeOf(Window{3, 3, 1, 1}, 1, 6, 6, 2), 0, false)
	g := b.Args[0].Data.([]float32)
	g[100], g[200], g[300] = float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))
	b.Name += "_special"
	return append(rows, r, b)
}

// shapeOf is the shape of unpadded tensors.
func shapeOf(w Window, batch, height, width, channels int) shape {
	return shape{Window: w, batch: batch, height: height, width: width, channels: channels, ld: channels, ldCols: w.Height * w.Width * channels}
}

func (s shape) name() string {
	return fmt.Sprintf("B%d_%dx%dx%d_w%dx%d_s%d_p%d", s.batch, s.height, s.width, s.channels, s.Height, s.Width, s.Stride, s.Pad)
}

func (s shape) dims() (x, cols []int) {
	return []int{s.batch, s.height, s.width, s.channels},
		[]int{s.batch, s.Out(s.height, s.Height), s.Out(s.width, s.Width), s.ldCols}
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

func columnsRow(seed uint64, s shape, pad int) kerneltest.Row {
	x, cols := s.dims()
	return kerneltest.Row{
		Kernel: "gather",
		Name:   fmt.Sprintf("columns_%s_pad%d", s.name(), pad),
		Args: []kerneltest.Arg{
			kerneltest.In("x", kerneltest.Normal(kerneltest.Rand(seed), product(x), 1), x...).Padded(s.channels + pad),
			kerneltest.Out("cols", kerneltest.Exact, cols...).Padded(s.ldCols + 2*pad),
		},
		Call: func(d engine.Device, t []engine.Tensor) error { return Columns(d, s.Window, t[0], t[1]) },
	}
}

// backRow's gradients are whole numbers, whose sums are exact in any order.
func backRow(seed uint64, s shape, pad int, add bool) kerneltest.Row {
	r := kerneltest.Rand(seed)
	whole := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.IntN(201) - 100)
		}
		return v
	}
	x, cols := s.dims()
	gx := kerneltest.Out("gx", kerneltest.Exact, x...)
	if add {
		gx = kerneltest.InOut("gx", kerneltest.Exact, whole(product(x)), x...)
	}
	return kerneltest.Row{
		Kernel: "gather",
		Name:   fmt.Sprintf("back_%s_pad%d_add%v", s.name(), pad, add),
		Args: []kerneltest.Arg{
			kerneltest.In("gcols", whole(product(cols)), cols...).Padded(s.ldCols + 2*pad),
			gx.Padded(s.channels + pad),
		},
		Call: func(d engine.Device, t []engine.Tensor) error {
			return Back(d, s.Window, t[0], t[1], engine.Sink{Add: add})
		},
	}
}

package dequantise

import (
	"fmt"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// Rows is the kernel's table of cases.
func Rows(long bool) []kerneltest.Row {
	var table []kerneltest.Row
	// Around a task of 64 rows.
	for i, c := range kerneltest.Cover(long, []int{0, 1, 2, 63, 64, 65}, []int{1, 31, 32, 33, 127}, []int{0, 3}) {
		table = append(table, row(uint64(i), c[0], c[1], c[2]))
	}
	return table
}

// row is n features in each of r rows, with pad and twice pad elements between rows.
func row(seed uint64, r, n, pad int) kerneltest.Row {
	return kerneltest.Row{
		Kernel: "dequantise", Name: fmt.Sprintf("R%d_N%d_pad%d", r, n, pad),
		Args: []kerneltest.Arg{
			kerneltest.In("q", kerneltest.Bytes(kerneltest.Rand(seed), r*n), r, n).Padded(n + pad),
			kerneltest.Out("x", kerneltest.Exact, r, n).Padded(n + 2*pad),
		},
		Call: func(d engine.Device, t []engine.Tensor) error { return Run(d, t[0], t[1], -2, 2) },
	}
}

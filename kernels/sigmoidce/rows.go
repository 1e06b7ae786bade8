package sigmoidce

import (
	"fmt"
	"math"
	"math/rand/v2"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// What the logits of a row of the table are.
const (
	usual   = iota
	sure    // predictions that are right, whose loss is near 0
	extreme // from 1e-40 to infinity
	unknown // one NaN
)

// The error of a sigmoid: an exponential to 2 ulp, a sum and a quotient; denormal ones to one step.
var ulps = kerneltest.Tolerance{Abs: 1.5e-45, Rel: 4 * 1.2e-7, Why: "4 ulp"}

// Rows is the kernel's table of cases.
func Rows(long bool) []kerneltest.Row {
	var rows []kerneltest.Row
	// Around a vector, around eight of them; primes.
	classes := []int{1, 2, 7, 8, 9, 17, 31, 32, 33, 63, 64, 65, 127, 128, 257, 1031}
	for i, c := range kerneltest.Cover(long, []int{0, 1, 2, 33}, classes, []int{0, 3}, []int{0, 1}, []int{usual, sure, extreme, unknown}) {
		rows = append(rows, lossRow(uint64(i), c[0], c[1], c[2], c[3] == 1, c[4]), probRow(uint64(i), c[0], c[1], c[2], c[4]))
	}
	// Beyond the 8,192 classes whose labels the CUDA kernel holds at once, and more rows than a grid is high.
	rows = append(rows, lossRow(2, 2, 8193, 3, true, usual), lossRow(3, 2, 16500, 0, false, sure), probRow(4, 65537, 1, 0, usual))
	return append(rows, sweepRow())
}

func lossRow(seed uint64, b, k, pad int, gradient bool, kind int) kerneltest.Row {
	r := kerneltest.Rand(seed)
	each := kerneltest.Tolerance{Abs: 1.5e-45, Rel: 1e-6, Why: "terms of one sign to 4 ulp, in sums of 8 and one of the lanes"}
	grad := kerneltest.Tolerance{Abs: 1.5e-45, Rel: 5 * 1.2e-7, Why: "a sigmoid and a product"}
	offsets, labels := drawLabels(r, b, k)
	return kerneltest.Row{
		Kernel: "sigmoidce", Name: fmt.Sprintf("loss_B%d_K%d_pad%d_gradient%v_kind%d", b, k, pad, gradient, kind),
		Args: []kerneltest.Arg{
			kerneltest.In("z", logits(r, b, k, kind, offsets, labels), b, k).Padded(k + pad),
			kerneltest.In("offsets", offsets, b+1), kerneltest.In("labels", labels, len(labels)),
			kerneltest.Out("each", each, b),
			kerneltest.InOut("gz", grad, make([]float32, b*k), b, k).Padded(k + 2*pad),
		},
		Call: func(d engine.Device, t []engine.Tensor) error {
			gz := t[4]
			if !gradient {
				gz = engine.Tensor{}
			}
			return Loss(d, t[0], t[1], t[2], t[3], gz, 0.25)
		},
	}
}

// sweepRow has one class, and logits over all that an exponential can tell apart: single terms.
func sweepRow() kerneltest.Row {
	const b = 4001
	row := lossRow(1, b, 1, 0, true, usual)
	z := row.Args[0].Data.([]float32)
	for i := range z {
		z[i] = float32(i-b/2) * 105 / (b / 2)
	}
	row.Name = "loss_sweep"
	row.Args[3].Tol = kerneltest.Tolerance{Abs: 1.5e-45, Rel: 4 * 1.2e-7, Why: "4 ulp"}
	return row
}

// logits is [b,k] logits of a kind.
func logits(r *rand.Rand, b, k, kind int, offsets, labels []int32) []float32 {
	z := kerneltest.Normal(r, b*k, 4)
	inf := float32(math.Inf(1))
	odd := []float32{0, 1e-40, 1e-30, 1e-8, 1, 16, 17, 80, 87, 88, 89, 103, 104, 105, 1e4, 1e30, math.MaxFloat32, inf}
	for i := range z {
		switch kind {
		case sure:
			z[i] = -float32(6 + 10*r.Float64())
		case extreme:
			z[i] = odd[r.IntN(len(odd))]
			if r.IntN(2) == 0 {
				z[i] = -z[i]
			}
		}
	}
	for row := range b {
		for _, c := range labels[offsets[row]:offsets[row+1]] {
			if kind == sure {
				z[row*k+int(c)] = float32(6 + 10*r.Float64())
			}
		}
	}
	if kind == unknown && b*k > 0 {
		z[b*k/2] = float32(math.NaN())
	}
	return z
}

// drawLabels gives each row up to four labels, some of them twice.
func drawLabels(r *rand.Rand, b, k int) (offsets, labels []int32) {
	offsets = []int32{0}
	for range b {
		for range r.IntN(5) {
			labels = append(labels, int32(r.IntN(k)))
		}
		if n := len(labels); n > 0 && r.IntN(4) == 0 && int(offsets[len(offsets)-1]) < n {
			labels = append(labels, labels[n-1])
		}
		offsets = append(offsets, int32(len(labels)))
	}
	return offsets, append(labels, -7) // what lies behind the last is not looked at
}

func probRow(seed uint64, b, k, pad, kind int) kerneltest.Row {
	r := kerneltest.Rand(seed)
	offsets, labels := drawLabels(r, b, k)
	return kerneltest.Row{
		Kernel: "sigmoidce", Name: fmt.Sprintf("prob_B%d_K%d_pad%d_kind%d", b, k, pad, kind),
		Args: []kerneltest.Arg{
			kerneltest.In("z", logits(r, b, k, kind, offsets, labels), b, k).Padded(k + pad),
			kerneltest.Out("p", ulps, b, k).Padded(k + 2*pad),
		},
		Call: func(d engine.Device, t []engine.Tensor) error { return Prob(d, t[0], t[1]) },
	}
}

package softmaxce

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// What the logits of a row of the table are.
const (
	usual   = iota
	sure    // predictions that are right, whose loss is near 0
	extreme // to the largest float32, and minus infinity
	unknown // one NaN
	endless // one infinity, of which NaN comes
)

// Rows is the kernel's table of cases.
func Rows(long bool) []kerneltest.Row {
	var rows []kerneltest.Row
	// Around a vector, around four of them; primes.
	classes := []int{1, 2, 7, 8, 9, 17, 31, 32, 33, 63, 64, 65, 257, 521, 1031}
	for i, c := range kerneltest.Cover(long, []int{0, 1, 2, 33}, classes, []int{0, 3}, []int{0, 1}, []int{usual, sure, extreme, unknown, endless}) {
		rows = append(rows, lossRow(uint64(i), c[0], c[1], c[2], c[3] == 1, c[4]), probRow(uint64(i), c[0], c[1], c[2], c[4]))
	}
	return rows
}

func lossRow(seed uint64, b, k, pad int, gradient bool, kind int) kerneltest.Row {
	r := kerneltest.Rand(seed)
	// The exponential of −d is known to d·2^-24 + 2 ulp, as d is rounded. What counts in the loss are the largest,
	// which are no further than 20 from the top; log of 1 + δ is known to 2e-16 in the reference too.
	each := kerneltest.Tolerance{Abs: 2.5e-16, Rel: 1.5e-6, Why: "exponentials of rounded differences up to 20"}
	offsets, labels := drawLabels(r, b, k)
	z := logits(r, b, k, kind, offsets, labels)
	return kerneltest.Row{
		Kernel: "softmaxce", Name: fmt.Sprintf("loss_B%d_K%d_pad%d_gradient%v_kind%d", b, k, pad, gradient, kind),
		Args: []kerneltest.Arg{
			kerneltest.In("z", z, b, k).Padded(k + pad),
			kerneltest.In("offsets", offsets, b+1), kerneltest.In("labels", labels, len(labels)),
			kerneltest.Out("each", each, b),
			kerneltest.InOut("gz", bound(z, b, k), make([]float32, b*k), b, k).Padded(k + 2*pad),
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

// bound is the error of a probability among these logits.
func bound(z []float32, b, k int) kerneltest.Tolerance {
	d := 0.0 // from the top, as far as its exponential is not 0
	for r := range b {
		top := float64(slices.Max(z[r*k : (r+1)*k]))
		for _, x := range z[r*k : (r+1)*k] {
			if by := top - float64(x); by < 104 {
				d = math.Max(d, by)
			}
		}
	}
	return kerneltest.Tolerance{Abs: 3e-16, Rel: 5e-7 + d/(1<<24), Why: "an exponential of a rounded difference, and two products; p − 1 of a sure label to the sum's 1e-16"}
}

// logits is [b,k] logits of a kind.
func logits(r *rand.Rand, b, k, kind int, offsets, labels []int32) []float32 {
	z := kerneltest.Normal(r, b*k, 4)
	odd := []float32{0, 1e-40, 1e-8, 1, 16, 17, 80, 87, 88, 89, 103, 104, 105, 1e4, -1e4, 1e30, -1e30, math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(-1))}
	for i := range z {
		switch kind {
		case sure:
			z[i] = -float32(2 + 10*r.Float64())
		case extreme:
			z[i] = odd[r.IntN(len(odd))]
		}
	}
	for row := range b {
		if label := labels[offsets[row]]; kind == sure {
			z[row*k+int(label)] = float32(2 + 10*r.Float64())
		}
	}
	if b*k > 0 && kind == unknown {
		z[b*k/2] = float32(math.NaN())
	}
	if b*k > 0 && kind == endless {
		z[b*k/2] = float32(math.Inf(1))
	}
	return z
}

// drawLabels gives each row one label, sometimes said twice.
func drawLabels(r *rand.Rand, b, k int) (offsets, labels []int32) {
	offsets = []int32{0}
	for range b {
		label := int32(r.IntN(k))
		for range 1 + r.IntN(2) {
			labels = append(labels, label)
		}
		offsets = append(offsets, int32(len(labels)))
	}
	return offsets, append(labels, -7) // what lies behind the last is not looked at
}

func probRow(seed uint64, b, k, pad, kind int) kerneltest.Row {
	r := kerneltest.Rand(seed)
	offsets, labels := drawLabels(r, b, k)
	z := logits(r, b, k, kind, offsets, labels)
	return kerneltest.Row{
		Kernel: "softmaxce", Name: fmt.Sprintf("prob_B%d_K%d_pad%d_kind%d", b, k, pad, kind),
		Args: []kerneltest.Arg{
			kerneltest.In("z", z, b, k).Padded(k + pad),
			kerneltest.Out("p", bound(z, b, k), b, k).Padded(k + 2*pad),
		},
		Call: func(d engine.Device, t []engine.Tensor) error { return Prob(d, t[0], t[1]) },
	}
}

package attention

import (
	"fmt"
	"math"
	"math/rand/v2"

	"avcu/engine"
	"avcu/kernels/kerneltest"
)

// Rows is the kernel's table of cases: each of the six calls.
func Rows(long bool) []kerneltest.Row {
	// Around vectors of 4, 8 and 16, pairs of them, tiles of six and groups of eight videos.
	cover := kerneltest.Cover(long, []int{0, 1, 2, 9}, []int{1, 6, 7, 13, 31}, []int{1, 7, 8, 17, 33, 50, 97},
		[]int{1, 5, 8, 16, 17, 32, 35}, []int{0, 1}, []int{0, 1}, []int{0, 1})
	// Blocks of columns, spans of frames, many units, many videos, and the shapes of the models.
	for i, big := range [][4]int{{1, 2, 1024, 3}, {3, 3, 1025, 1}, {2, 6, 2100, 17}, {1, 512, 3, 2}, {3, 513, 5, 9}, {1, 1100, 9, 2},
		{2, 9, 20, 256}, {131, 3, 5, 4}, {1, 100, 1024, 32}, {2, 300, 128, 32}, {17, 25, 50, 32}, {5, 25, 50, 128}} {
		cover = append(cover, []int{big[0], big[1], big[2], big[3], (i + 1) % 2, i / 2 % 2, 0})
	}
	var table []kerneltest.Row
	for i, c := range cover {
		p := problem{size: size{c[0], c[1], c[2], c[3]}, bytes: c[4] == 1, add: c[5] == 1, padded: c[6] == 1, r: kerneltest.Rand(uint64(i))}
		table = append(table, p.forward(), p.pooling(), p.backwardScores(), p.backwardWeights(), p.backward(), p.backwardFeatures(i%2 == 0))
	}
	return table
}

type problem struct {
	size
	bytes, add, padded bool
	r                  *rand.Rand
}

func (p problem) name(call string) string {
	name := fmt.Sprintf("%s_B%d_L%d_D%d_C%d", call, p.b, p.l, p.d, p.units)
	for _, s := range []struct {
		on   bool
		name string
	}{{p.bytes, "_uint8"}, {p.add, "_add"}, {p.padded, "_padded"}} {
		if s.on {
			name += s.name
		}
	}
	return name
}

// x is features of standard deviation 1 or 1.2.
func (p problem) x() kerneltest.Arg {
	n := p.b * p.l * p.d
	if p.bytes {
		return p.pad(kerneltest.In("x", kerneltest.Bytes(p.r, n), p.b, p.l, p.d), 3)
	}
	return p.pad(kerneltest.In("x", kerneltest.Normal(p.r, n, 1), p.b, p.l, p.d), 1)
}

// pad leaves n elements between rows in a padded problem.
func (p problem) pad(a kerneltest.Arg, n int) kerneltest.Arg {
	if p.padded {
		return a.Padded(p.d + n)
	}
	return a
}

func (p problem) in(name string, std float64, dims ...int) kerneltest.Arg {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return kerneltest.In(name, kerneltest.Normal(p.r, n, std), dims...)
}

// w makes scores of size 1.
func (p problem) w() kerneltest.Arg {
	return p.pad(p.in("w", 1/math.Sqrt(float64(p.d)), p.units, p.d), 5)
}

// gv makes gradients of the weights of size 1.
func (p problem) gv() kerneltest.Arg {
	return p.pad(p.in("gv", 1/math.Sqrt(float64(p.d)), p.b, p.units, p.d), 7)
}

// a is of the size of attention weights.
func (p problem) a() kerneltest.Arg { return p.in("a", 1/float64(p.l), p.b, p.l, p.units) }

func (p problem) v(tol kerneltest.Tolerance) kerneltest.Arg {
	return p.pad(kerneltest.Out("v", tol, p.b, p.units, p.d), 9)
}

func (p problem) row(call string, f func(d engine.Device, t []engine.Tensor) error, args ...kerneltest.Arg) kerneltest.Row {
	return kerneltest.Row{Kernel: "attention", Name: p.name(call), Args: args, Call: f}
}

// chain is the error of a sum of n terms in one chain of float32 sums: while partial sums stay below 4
// a rounding is off by 5e-8 on average, and the sum by four standard deviations of n such.
func chain(n int) float64 { return 2e-7 * math.Sqrt(float64(n)) }

func (p problem) forward() kerneltest.Row {
	rel := 2e-6 + chain(p.d)
	a := kerneltest.Tolerance{Abs: 1e-9, Rel: rel, Why: "a score of up to 4 is a chain of D sums, and its error is its weight's relative one"}
	v := kerneltest.Tolerance{Abs: 1.5 * rel, Rel: 1e-6, Why: "a mean of features of size 1 to 3 with such weights"}
	return p.row("forward", func(d engine.Device, t []engine.Tensor) error { return Forward(d, t[0], t[1], t[2], t[3], t[4]) },
		p.x(), p.w(), p.in("c", 0.3, p.units), kerneltest.Out("a", a, p.b, p.l, p.units), p.v(v))
}

func (p problem) pooling() kerneltest.Row {
	a := kerneltest.Tolerance{Abs: 1e-9, Rel: 2e-6, Why: "exp to 2 ulp of a rounded difference of up to 25, the sum of L terms"}
	v := kerneltest.Tolerance{Abs: 4e-6, Rel: 1e-6, Why: "a mean of features of size 1 to 3 with such weights"}
	scores := kerneltest.InOut("a", a, kerneltest.Normal(p.r, p.b*p.l*p.units, 3), p.b, p.l, p.units)
	return p.row("pool", func(d engine.Device, t []engine.Tensor) error { return Pool(d, t[0], t[1], t[2]) }, p.x(), scores, p.v(v))
}

func (p problem) backwardScores() kerneltest.Row {
	tol := kerneltest.Tolerance{Abs: 4 * (1e-6 + chain(p.d)) / float64(p.l), Rel: 1e-6,
		Why: "a weight of up to 4/L times the difference of sums of D terms, each up to 4"}
	return p.row("backward_scores", func(d engine.Device, t []engine.Tensor) error { return BackwardScores(d, t[0], t[1], t[2], t[3]) },
		p.x(), p.a(), p.gv(), kerneltest.Out("gs", tol, p.b, p.l, p.units))
}

func (p problem) backwardWeights() kerneltest.Row {
	n := p.b * p.l
	tol := kerneltest.Tolerance{Abs: 1e-6 + 0.4*math.Sqrt(float64(n))*chain(min(p.l, 512)+p.b), Rel: 1e-6,
		Why: "B·L terms of size 0.4 sum to 0.4·√(B·L), in chains of at most 512 and B"}
	gw := p.pad(kerneltest.InOut("gw", tol, kerneltest.Normal(p.r, p.units*p.d, 1), p.units, p.d), 11)
	return p.row("backward_weights", func(d engine.Device, t []engine.Tensor) error {
		return BackwardWeights(d, t[0], t[1], t[2], engine.Sink{Add: p.add})
	}, p.x(), p.in("gs", 0.3, p.b, p.l, p.units), gw)
}

func (p problem) backward() kerneltest.Row {
	scores, weights := p.backwardScores(), p.backwardWeights()
	gs, gw := scores.Args[3], weights.Args[2]
	gw.Tol.Abs += 2 * float64(p.b*p.l) * gs.Tol.Abs
	gw.Tol.Why += "; gradients of the scores within their own tolerance times features of up to 2"
	return p.row("backward", func(d engine.Device, t []engine.Tensor) error {
		return Backward(d, t[0], t[1], t[2], t[3], t[4], engine.Sink{Add: p.add})
	}, scores.Args[0], scores.Args[1], scores.Args[2], gs, gw)
}

func (p problem) backwardFeatures(scored bool) kerneltest.Row {
	tol := kerneltest.Tolerance{Abs: 5e-7 + chain(2*p.units), Rel: 1e-6, Why: "a chain of 2C terms that ends at size 1 to 2"}
	gx := p.pad(kerneltest.InOut("gx", tol, kerneltest.Normal(p.r, p.b*p.l*p.d, 1), p.b, p.l, p.d), 1)
	call := "backward_features"
	if !scored {
		call = "backward_features_of_pool"
	}
	return p.row(call, func(d engine.Device, t []engine.Tensor) error {
		w := t[0]
		if !scored {
			w = engine.Tensor{}
		}
		return BackwardFeatures(d, w, t[1], t[2], t[3], t[4], engine.Sink{Add: p.add})
	}, p.w(), p.a(), p.in("gs", 0.3, p.b, p.l, p.units), p.gv(), gx)
}

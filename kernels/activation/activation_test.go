package activation

import (
	"math"
	"strings"
	"testing"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

func TestRows(t *testing.T) { kerneltest.Run(t, Rows(*kerneltest.Long)) }

func TestGolden(t *testing.T) {
	for pattern, k := range map[string]Kind{"tanh_*.npz": Tanh, "sigmoid_*.npz": Sigmoid} {
		kerneltest.Golden(t, pattern, func(t *testing.T, name string, a map[string]kerneltest.Array) {
			n := len(a["x"].Data)
			y, gx := make([]float64, n), make([]float64, n)
			forward(k, y, a["x"].Data)
			backward(k, gx, a["y"].Data, a["gy"].Data, false)
			// Both sides compute in float64. 1−y loses what y has rounded: ulps of 1, times |gy|.
			compare(t, "y", y, a["y"].Data, kerneltest.Tolerance{Rel: 1e-12})
			compare(t, "gx", gx, a["gx"].Data, kerneltest.Tolerance{Abs: 1e-15, Rel: 1e-12})

			devices := kerneltest.Devices(t)
			devices["ref"] = host.NewRef()
			for on, d := range devices {
				x, gy := kerneltest.In("x", a["x"].Float32(), n), kerneltest.In("gy", a["gy"].Float32(), n)
				out, err := kerneltest.Execute(d, kerneltest.Row{
					Name: name,
					Args: []kerneltest.Arg{x, gy, kerneltest.Out("y", tolerance, n), kerneltest.Out("gx", tolerance, n)},
					Call: func(d engine.Device, t []engine.Tensor) error {
						if err := Forward(d, k, t[0], t[2]); err != nil {
							return err
						}
						return Backward(d, k, t[2], t[1], t[3], engine.Sink{})
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				compare(t, on+" y", kerneltest.Floats(engine.Float32, out[2]), a["y"].Data, tolerance)
				// y is off by 4 ulp of at most 1, so act'(y), whose slope is at most 2, by 8, times |gy| < 4.
				compare(t, on+" gx", kerneltest.Floats(engine.Float32, out[3]), a["gx"].Data,
					kerneltest.Tolerance{Abs: 4 * 8.0 / (1 << 24), Rel: tolerance.Rel})
			}
		})
	}
}

func compare(t *testing.T, what string, got, want []float64, tol kerneltest.Tolerance) {
	t.Helper()
	for i := range want {
		if !tol.Within(got[i], want[i]) {
			t.Errorf("%s[%d] = %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestGradient(t *testing.T) {
	for k := range Sigmoid + 1 {
		x, c := make([]float64, 40), make([]float64, 40)
		r := kerneltest.Rand(uint64(k))
		for i := range x {
			x[i], c[i] = 2*r.NormFloat64(), r.NormFloat64()
		}
		y, gx := make([]float64, len(x)), make([]float64, len(x))
		forward(k, y, x)
		backward(k, gx, y, c, false)
		t.Run(k.String(), func(t *testing.T) {
			kerneltest.Gradient(t, map[string][]float64{"x": x}, map[string][]float64{"x": gx}, func() (loss float64) {
				forward(k, y, x)
				for i := range y {
					loss += c[i] * y[i]
				}
				return loss
			})
		})
	}
}

// TestAccuracy holds the C kernels to 4 ulp of a float32 of the true value's size.
func TestAccuracy(t *testing.T) {
	x := special()
	for i := range 20001 {
		x = append(x, float32(i-10000)/100)
	}
	x = append(x, kerneltest.Normal(kerneltest.Rand(1), 20000, 1)...)
	for on, d := range kerneltest.Devices(t) {
		for k := range Sigmoid + 1 {
			out, err := kerneltest.Execute(d, forwardRow(k, x, 1, len(x), 0))
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range kerneltest.Floats(engine.Float32, out[1]) {
				want := []float64{float64(x[i])}
				forward(k, want, want)
				_, e := math.Frexp(want[0])
				ulp := math.Ldexp(1, max(e-24, -149))
				if d := math.Abs(got - want[0]); !(d <= 4*ulp) && got != want[0] && !(got != got && want[0] != want[0]) {
					t.Errorf("%s: %v(%v) = %v, want %v: %.1f ulp", on, k, x[i], got, want[0], d/ulp)
				}
			}
		}
	}
}

// TestInPlace makes both calls with the output in the input's place.
func TestInPlace(t *testing.T) {
	x := kerneltest.Normal(kerneltest.Rand(1), 1000, 2)
	y, gy := make([]float32, len(x)), kerneltest.Normal(kerneltest.Rand(2), 1000, 1)
	forward(Tanh, y, x)
	kerneltest.Run(t, []kerneltest.Row{{
		Name: "forward",
		Args: []kerneltest.Arg{kerneltest.InOut("x", tolerance, x, 1000)},
		Call: func(d engine.Device, t []engine.Tensor) error { return Forward(d, Tanh, t[0], t[0]) },
	}, {
		Name: "backward",
		Args: []kerneltest.Arg{kerneltest.In("y", y, 1000), kerneltest.InOut("gy", tolerance, gy, 1000)},
		Call: func(d engine.Device, t []engine.Tensor) error {
			return Backward(d, Tanh, t[0], t[1], t[1], engine.Sink{})
		},
	}})
}

// TestBatch: a row has the same bits alone and in a batch, wherever it lies in memory.
func TestBatch(t *testing.T) {
	const n, cols = 37, 1009
	for on, d := range kerneltest.Devices(t) {
		for k := range Sigmoid + 1 {
			x := kerneltest.Normal(kerneltest.Rand(uint64(k)), n*cols, 2)
			all, err := kerneltest.Execute(d, forwardRow(k, x, n, cols, 0))
			if err != nil {
				t.Fatal(err)
			}
			for b := range n {
				one, err := kerneltest.Execute(d, forwardRow(k, x[b*cols:(b+1)*cols], 1, cols, 3))
				if err != nil {
					t.Fatal(err)
				}
				if string(one[1]) != string(all[1][4*b*cols:4*(b+1)*cols]) {
					t.Fatalf("%s: %v: row %d has other bits alone", on, k, b)
				}
			}
		}
	}
}

func TestErrors(t *testing.T) {
	d := host.NewRef()
	m, err := d.Alloc(1024)
	if err != nil {
		t.Fatal(err)
	}
	a, b := engine.NewTensor(m, 0, engine.Float32, 0, 2, 3), engine.NewTensor(m, 512, engine.Float32, 0, 3, 2)
	for want, err := range map[string]error{
		"activation: y is float32[3 2], want float32 shaped as x": Forward(d, Tanh, a, b),
		"activation: unknown function Kind(3)":                    Forward(d, Sigmoid+1, a, a),
		"activation: gx is float32[], want float32 shaped as y":   Backward(d, Tanh, a, a, engine.Tensor{}, engine.Sink{}),
		"cannot take an optimiser's step":                         Backward(d, Tanh, a, a, a, engine.Sink{Step: &engine.Step{}}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
}

// TestAllocations: the hot loop allocates nothing.
func TestAllocations(t *testing.T) {
	for on, d := range kerneltest.Devices(t) {
		if d.Separate() {
			continue // the virtual machine allocates for itself
		}
		m, err := d.Alloc(4096)
		if err != nil {
			t.Fatal(err)
		}
		x := engine.NewTensor(m, 0, engine.Float32, 0, 32, 32)
		if n := testing.AllocsPerRun(10, func() {
			_ = Forward(d, Tanh, x, x)
			_ = Backward(d, Tanh, x, x, x, engine.Sink{Add: true})
		}); n != 0 {
			t.Errorf("%s: %v allocations a call", on, n)
		}
	}
}

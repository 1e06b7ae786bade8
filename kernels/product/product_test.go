package product

import (
	"bytes"
	"maps"
	"math"
	"slices"
	"testing"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/adam"
	"avcu/kernels/kerneltest"
)

func TestRows(t *testing.T) { kerneltest.Run(t, Rows(*kerneltest.Long)) }

func TestRowsBF16(t *testing.T) { kerneltest.RunBF16(t, Rows(*kerneltest.Long)) }

func allDevices(t *testing.T) map[string]engine.Device {
	devices := kerneltest.Devices(t)
	maps.Copy(devices, kerneltest.BF16Devices(t))
	return devices
}

// A row of the result must have the same bits whatever other rows there are.
func TestRowsDoNotDependOnEachOther(t *testing.T) {
	const m, n, k = 300, 200, 700
	r := kerneltest.Rand(3)
	a, b := kerneltest.Normal(r, m*k, 1), kerneltest.Normal(r, k*n, 1)
	run := func(d engine.Device, rows int) []byte {
		out, err := kerneltest.Execute(d, kerneltest.Row{Name: "rows", Args: []kerneltest.Arg{
			kerneltest.In("A", a[:rows*k], rows, k), kerneltest.In("B", b, k, n), kerneltest.Out("C", kerneltest.Exact, rows, n),
		}, Call: func(d engine.Device, t []engine.Tensor) error { return Run(d, Call{A: t[0], B: t[1], C: t[2]}) }})
		if err != nil {
			t.Fatal(err)
		}
		return out[2]
	}
	for name, d := range allDevices(t) {
		whole := run(d, m)
		for _, rows := range []int{1, 2, 3, 4, 5, 100, 256} {
			if !bytes.Equal(run(d, rows), whole[:rows*n*4]) {
				t.Errorf("%s: other bits with %d rows than with %d", name, rows, m)
			}
		}
	}
}

// Taking Adam's step in the product must give the bits of storing the gradient and updating then.
func TestStepEqualsStoreThenAdam(t *testing.T) {
	for _, k := range []int{5, 256, 300, 4100} {
		const m, n = 270, 200
		r := kerneltest.Rand(uint64(k))
		a, b := kerneltest.Normal(r, k*m, 1), kerneltest.Normal(r, k*n, 1)
		w, m1, m2 := kerneltest.Normal(r, m*n, 1), kerneltest.Normal(r, m*n, 1), kerneltest.Normal(r, m*n, 1)
		for i := range m2 {
			m2[i] *= m2[i]
		}
		run := func(d engine.Device, fused bool) [][]byte {
			out, err := kerneltest.Execute(d, kerneltest.Row{Name: "step", Args: []kerneltest.Arg{
				kerneltest.In("A", a, k, m), kerneltest.In("B", b, k, n), kerneltest.InOut("w", kerneltest.Exact, w, m, n),
				kerneltest.InOut("m", kerneltest.Exact, m1, m, n), kerneltest.InOut("v", kerneltest.Exact, m2, m, n),
				kerneltest.Out("g", kerneltest.Exact, m, n),
			}, Call: func(d engine.Device, t []engine.Tensor) error {
				s := &engine.Step{M: t[3], V: t[4], Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
				if fused {
					return Run(d, Call{TransA: true, A: t[0], B: t[1], C: t[2], Sink: engine.Sink{Step: s}})
				}
				if err := Run(d, Call{TransA: true, A: t[0], B: t[1], C: t[5]}); err != nil {
					return err
				}
				return adam.Update(d, t[2], t[5], s, engine.Tensor{})
			}})
			if err != nil {
				t.Fatal(err)
			}
			return out[2:5]
		}
		devices := allDevices(t)
		devices["ref"] = host.NewRef()
		for name, d := range devices {
			fused, apart := run(d, true), run(d, false)
			for i, what := range []string{"w", "m", "v"} {
				if !bytes.Equal(fused[i], apart[i]) {
					t.Errorf("K=%d on %s: %s has other bits when the product takes the step", k, name, what)
				}
			}
		}
	}
}

func TestNaNAndInfFlowThrough(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, form := range []int{plain, biasTanh, biasReLU, timesReLU, add} {
		row := shape{m: 3, n: 40, k: 2, form: form}.row(1)
		row.Args[0].Data = []float32{nan, 1, inf, 1, 1, 1}
		kerneltest.Run(t, []kerneltest.Row{row})
		kerneltest.RunBF16(t, []kerneltest.Row{row})
	}
}

// Products wide enough for AMX, which sums numbers in pieces that an infinity, and what rounds to one, does not have. What is
// beside them in C is right, but may have other bits than without them.
func TestNaNAndInfInWideProducts(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, o := range []host.Options{{Threads: 1}, {Threads: 2}, {Threads: 1, NoAMX: true}} {
		d, err := host.NewCPU(o)
		if err != nil {
			t.Skip(err)
		}
		defer d.Close()
		for i, s := range []shape{
			{m: 70, n: 100, k: 80}, {m: 70, n: 1100, k: 80, transA: true, transB: true, form: biasTanh}, {m: 33, n: 700, k: 300, form: timesReLU},
			{m: 290, n: 70, k: 40, form: add}, {m: 290, n: 70, k: 90, transA: true, form: step},
		} {
			for _, values := range [][2][]float32{{{inf}, {}}, {{}, {-inf}}, {{nan}, {}}, {{-inf}, {1e-3, nan}}, {{}, {math.MaxFloat32}}} {
				row := s.row(uint64(i))
				for of, v := range values {
					data := row.Args[of].Data.([]float32)
					for k, x := range v {
						data[len(data)*(k+1)/3] = x
					}
				}
				if s.form != plain && slices.Contains(values[1], math.MaxFloat32) {
					continue // what follows the product is infinite in float32 alone
				}
				diffs, err := kerneltest.Compare(host.NewRef(), d, row)
				if err != nil {
					t.Fatal(err)
				}
				for _, diff := range diffs {
					if !diff.OK {
						t.Errorf("%s, %s, with %v: %s[%d] = %v, want %v", d.Describe(), row.Name, values, diff.Arg, diff.At, diff.Got, diff.Want)
					}
				}
			}
		}
	}
}

// A product whose operands are packed span by span, also with what is not finite in the first of them.
func TestLongProducts(t *testing.T) {
	const m, n, k = 40, 64, 120_000
	r := kerneltest.Rand(5)
	a, b := kerneltest.Normal(r, m*k, 1), kerneltest.Normal(r, k*n, 1)
	want := make([]float64, m*n)
	for i := range m {
		for e := range k {
			for j := range n {
				want[i*n+j] += float64(a[i*k+e]) * float64(b[e*n+j])
			}
		}
	}
	// Blocks of 128 or 256 terms: the error is about the root of their number, times the root of K.
	tol := kerneltest.Tolerance{Abs: 2e-3, Rel: 2e-6, Why: "sums of 120,000 terms of size 1"}
	for name, o := range map[string]host.Options{"amx": {}, "no amx": {NoAMX: true}} {
		d, err := host.NewCPU(o)
		if err != nil {
			t.Skip(err)
		}
		defer d.Close()
		run := func() []float64 {
			out, err := kerneltest.Execute(d, kerneltest.Row{Name: "spans", Args: []kerneltest.Arg{
				kerneltest.In("A", a, m, k), kerneltest.In("B", b, k, n), kerneltest.InOut("C", tol, make([]float32, m*n), m, n),
			}, Call: func(d engine.Device, t []engine.Tensor) error {
				return Run(d, Call{A: t[0], B: t[1], C: t[2], Sink: engine.Sink{Add: true}})
			}})
			if err != nil {
				t.Fatal(err)
			}
			return kerneltest.Floats(engine.Float32, out[2])
		}
		for i, got := range run() {
			if !tol.Within(got, want[i]) {
				t.Fatalf("%s: C[%d] = %v, want %v", name, i, got, want[i])
			}
		}
		kept := b[3]
		b[3] = float32(math.Inf(1))
		for i, got := range run() {
			if j := i % n; j == 3 && !math.IsInf(got, 0) || j != 3 && !tol.Within(got, want[i]) {
				t.Fatalf("%s: with B[0,3] = Inf, C[%d] = %v, want %v", name, i, got, want[i])
			}
		}
		b[3] = kept
	}
}

// Three pieces of bfloat16 must be worth a float32. They are summed with fewer roundings, so errors are even smaller.
func TestAMXIsNoLessExact(t *testing.T) {
	const m, n = 64, 96
	for _, k := range []int{64, 256, 4096} {
		r := kerneltest.Rand(uint64(k))
		a, b := kerneltest.Normal(r, m*k, 1), kerneltest.Normal(r, k*n, 1)
		errors := map[bool]float64{}
		for _, without := range []bool{false, true} {
			d, err := host.NewCPU(host.Options{NoAMX: without})
			if err != nil {
				t.Skip(err)
			}
			defer d.Close()
			out, err := kerneltest.Execute(d, kerneltest.Row{Name: "exact", Args: []kerneltest.Arg{
				kerneltest.In("A", a, m, k), kerneltest.In("B", b, k, n), kerneltest.Out("C", kerneltest.Exact, m, n),
			}, Call: func(d engine.Device, t []engine.Tensor) error { return Run(d, Call{A: t[0], B: t[1], C: t[2]}) }})
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range kerneltest.Floats(engine.Float32, out[2]) {
				want := 0.0
				for e := range k {
					want += float64(a[i/n*k+e]) * float64(b[e*n+i%n])
				}
				errors[without] += (got - want) * (got - want) / (m * n)
			}
		}
		if t.Logf("K=%d: errors of %.2g with AMX, %.2g without", k, math.Sqrt(errors[false]), math.Sqrt(errors[true])); errors[false] > errors[true] {
			t.Errorf("K=%d: products by AMX are less exact", k)
		}
	}
}

func TestGolden(t *testing.T) {
	kerneltest.Golden(t, "linear_*.npz", func(t *testing.T, _ string, g map[string]kerneltest.Array) {
		rows, in, out := g["x"].Shape[0], g["x"].Shape[1], g["W"].Shape[1]
		// Float64 against float64, in another order of sums.
		exact := kerneltest.Tolerance{Abs: 1e-13, Rel: 1e-12}
		x, w, gy := matrix[float64]{g["x"].Data, in}, matrix[float64]{g["W"].Data, out}, matrix[float64]{g["gy"].Data, out}
		for _, c := range []struct {
			name string
			p    problem[float64]
		}{
			{"y", problem[float64]{sizes: sizes{rows, out, in}, a: x, b: w, bias: g["b"].Data}},
			{"gx", problem[float64]{sizes: sizes{rows, in, out}, a: gy, b: w, transB: true}},
			{"gW", problem[float64]{sizes: sizes{in, out, rows}, a: x, b: gy, transA: true}},
		} {
			c.p.c = matrix[float64]{make([]float64, c.p.m*c.p.n), c.p.n}
			c.p.run()
			for i, want := range g[c.name].Data {
				if !exact.Within(c.p.c.data[i], want) {
					t.Errorf("reference %s[%d] = %v, want %v", c.name, i, c.p.c.data[i], want)
				}
			}
		}
		// Float32: up to 120 terms of size about 1.
		tol := kerneltest.Tolerance{Abs: 2e-6, Rel: 2e-6, Why: "float32 sums of up to 120 terms"}
		call := kerneltest.Row{Name: "golden", Args: []kerneltest.Arg{
			kerneltest.In("x", g["x"].Float32(), rows, in), kerneltest.In("W", g["W"].Float32(), in, out),
			kerneltest.In("b", g["b"].Float32(), out), kerneltest.In("gy", g["gy"].Float32(), rows, out),
			kerneltest.Out("y", tol, rows, out), kerneltest.Out("gx", tol, rows, in), kerneltest.Out("gW", tol, in, out),
		}, Call: func(d engine.Device, t []engine.Tensor) error {
			if err := Run(d, Call{A: t[0], B: t[1], Bias: t[2], C: t[4]}); err != nil {
				return err
			}
			if err := Run(d, Call{A: t[3], B: t[1], TransB: true, C: t[5]}); err != nil {
				return err
			}
			return Run(d, Call{A: t[0], TransA: true, B: t[3], C: t[6]})
		}}
		devices := kerneltest.Devices(t)
		devices["ref"] = host.NewRef()
		for name, d := range devices {
			got, err := kerneltest.Execute(d, call)
			if err != nil {
				t.Fatal(err)
			}
			for i, what := range []string{"y", "gx", "gW"} {
				for k, v := range kerneltest.Floats(engine.Float32, got[4+i]) {
					if want := g[what].Data[k]; !tol.Within(v, want) {
						t.Errorf("%s: %s[%d] = %v, want %v", name, what, k, v, want)
					}
				}
			}
		}
	})
}

// The epilogues that multiply by a derivative, against differences of those that apply the activation.
func TestGradient(t *testing.T) {
	for _, act := range []Activation{Identity, Tanh, ReLU} {
		const m, n, k = 3, 4, 5
		r := kerneltest.Rand(uint64(act))
		draw := func(n int) []float64 {
			s := make([]float64, n)
			for i := range s {
				s[i] = r.NormFloat64()
			}
			return s
		}
		x, w, b, up := draw(m*k), draw(k*n), draw(n), draw(m*n)
		forward := func() []float64 {
			y := make([]float64, m*n)
			problem[float64]{sizes: sizes{m, n, k}, a: matrix[float64]{x, k}, b: matrix[float64]{w, n}, c: matrix[float64]{y, n}, bias: b, act: act}.run()
			return y
		}
		y := forward()
		// gz = up ⊙ act'(y), as the product of up with the identity matrix.
		eye := make([]float64, n*n)
		for i := range n {
			eye[i*n+i] = 1
		}
		gz, gx, gw := make([]float64, m*n), make([]float64, m*k), make([]float64, k*n)
		problem[float64]{sizes: sizes{m, n, n}, a: matrix[float64]{up, n}, b: matrix[float64]{eye, n}, c: matrix[float64]{gz, n}, y: matrix[float64]{y, n}, act: act}.run()
		problem[float64]{sizes: sizes{m, k, n}, a: matrix[float64]{gz, n}, b: matrix[float64]{w, n}, transB: true, c: matrix[float64]{gx, k}}.run()
		problem[float64]{sizes: sizes{k, n, m}, a: matrix[float64]{x, k}, transA: true, b: matrix[float64]{gz, n}, c: matrix[float64]{gw, n}}.run()
		kerneltest.Gradient(t, map[string][]float64{"x": x, "w": w}, map[string][]float64{"x": gx, "w": gw}, func() float64 {
			sum := 0.0
			for i, v := range forward() {
				sum += v * up[i]
			}
			return sum
		})
	}
}

// The products of a training step at the published shape, batch 256, and at Flash-MNIST's.

package attention

import (
	"math"
	"testing"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

// chainOf is all results of a forward and backward pass in float64, by the names of the golden files.
func chainOf(s size, x, w, c, gv []float64) map[string][]float64 {
	n := s.b * s.l * s.units
	score, a, gs := make([]float64, n), make([]float64, n), make([]float64, n)
	v, gw, gc, gx := make([]float64, s.b*s.units*s.d), make([]float64, s.units*s.d), make([]float64, s.units), make([]float64, len(x))
	of := func(data []float64) rows[float64] { return rows[float64]{data, s.d} }
	scores(s, of(x), of(w), c, score)
	pool(s, of(x), score, a, of(v))
	backwardScores(s, of(x), a, of(gv), gs)
	backwardWeights(s, of(x), gs, of(gw), false)
	backwardFeatures(s, of(w), a, gs, of(gv), of(gx), false)
	for i, g := range gs {
		gc[i%s.units] += g
	}
	return map[string][]float64{"s": score, "a": a, "v": v, "gW": gw, "gc": gc, "gx": gx}
}

func TestGolden(t *testing.T) {
	kerneltest.Golden(t, "attention_*.npz", func(t *testing.T, name string, g map[string]kerneltest.Array) {
		shape := g["x"].Shape
		s := size{shape[0], shape[1], shape[2], g["W"].Shape[0]}
		// Float64 against float64; the gradients of large scores cancel.
		got := chainOf(s, g["x"].Data, g["W"].Data, g["c"].Data, g["gv"].Data)
		for _, key := range []string{"s", "a", "v", "gW", "gc", "gx"} {
			compare(t, "reference in float64", key, got[key], g[key].Data, 1e-12)
		}

		row := kerneltest.Row{Name: name, Args: []kerneltest.Arg{
			kerneltest.In("x", g["x"].Float32(), s.b, s.l, s.d), kerneltest.In("W", g["W"].Float32(), s.units, s.d),
			kerneltest.In("c", g["c"].Float32(), s.units), kerneltest.In("gv", g["gv"].Float32(), s.b, s.units, s.d),
			kerneltest.Out("a", kerneltest.Exact, s.b, s.l, s.units), kerneltest.Out("v", kerneltest.Exact, s.b, s.units, s.d),
			kerneltest.Out("gs", kerneltest.Exact, s.b, s.l, s.units), kerneltest.Out("gW", kerneltest.Exact, s.units, s.d),
			kerneltest.Out("gx", kerneltest.Exact, s.b, s.l, s.d),
		}, Call: func(d engine.Device, t []engine.Tensor) error {
			if err := Forward(d, t[0], t[1], t[2], t[4], t[5]); err != nil {
				return err
			}
			if err := BackwardScores(d, t[0], t[4], t[3], t[6]); err != nil {
				return err
			}
			if err := BackwardWeights(d, t[0], t[6], t[7], engine.Sink{}); err != nil {
				return err
			}
			return BackwardFeatures(d, t[1], t[4], t[6], t[3], t[8], engine.Sink{})
		}}
		devices := kerneltest.Devices(t)
		devices["ref"] = host.NewRef()
		for device, d := range devices {
			out, err := kerneltest.Execute(d, row)
			if err != nil {
				t.Fatal(err)
			}
			for i, key := range []string{"a", "v", "gs", "gW", "gx"} {
				if key == "gs" {
					continue
				}
				// Float32: a score of size s is off by some s·2⁻²⁴, and its weight by that much of itself;
				// the scores of large_scores reach thousands.
				rel := 3e-6
				if name == "attention_large_scores" {
					rel = 5e-4
				}
				compare(t, device, key, kerneltest.Floats(engine.Float32, out[4+i]), g[key].Data, rel)
			}
		}
	})
}

// compare holds an array against a golden one: within rel of its largest value, or of 1 where that is
// smaller. (A gradient that is zero in exact arithmetic is left with noise of the size of what cancels.)
func compare(t *testing.T, who, key string, got, want []float64, rel float64) {
	t.Helper()
	largest := 1.0
	for _, w := range want {
		largest = math.Max(largest, math.Abs(w))
	}
	if len(got) != len(want) || len(want) == 0 {
		t.Fatalf("%s: %d values of %s, want %d", who, len(got), key, len(want))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= rel*largest) {
			t.Errorf("%s: %s[%d] = %v, want %v within %g of %g", who, key, i, got[i], w, rel, largest)
			return
		}
	}
}

func TestGradient(t *testing.T) {
	s := size{2, 5, 4, 3}
	r := kerneltest.Rand(5)
	draw := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = r.NormFloat64()
		}
		return out
	}
	x, w, c, gv := draw(s.b*s.l*s.d), draw(s.units*s.d), draw(s.units), draw(s.b*s.units*s.d)
	g := chainOf(s, x, w, c, gv)
	loss := func() (sum float64) {
		for i, v := range chainOf(s, x, w, c, gv)["v"] {
			sum += v * gv[i]
		}
		return sum
	}
	kerneltest.Gradient(t, map[string][]float64{"x": x, "w": w, "c": c},
		map[string][]float64{"x": g["gx"], "w": g["gW"], "c": g["gc"]}, loss)
}

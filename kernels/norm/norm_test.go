package norm

import (
	"math"
	"strings"
	"testing"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

func TestRows(t *testing.T) { kerneltest.Run(t, Rows(*kerneltest.Long)) }

// TestValues holds every device to results known by hand.
func TestValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	million := make([]float32, 1_000_000)
	for i := range million {
		million[i] = 0.5
	}
	devices := kerneltest.Devices(t)
	devices["ref"] = host.NewRef()
	for _, c := range []struct {
		name        string
		g           []float32
		clip        float64
		norm, scale float64
	}{
		{"clipped", []float32{3, -4}, 1, 5, float64(float32(0.2))},
		{"within", []float32{3, -4}, 6, 5, 1},
		{"not clipping", []float32{3, -4}, 0, 5, 1},
		{"zero", []float32{0, 0}, 1, 0, 1},
		{"empty", nil, 1, 0, 1},
		{"nan", []float32{3, float32(nan)}, 0, nan, nan},
		{"inf", []float32{3, float32(-inf)}, 0, inf, nan},
		// In float32 a million quarters would stop growing; the squares of 3e30 would overflow.
		{"many", million, 50, 500, float64(float32(0.1))},
		{"large", []float32{3e30, 4e30}, 0, float64(float32(math.Hypot(float64(float32(3e30)), float64(float32(4e30))))), 1},
	} {
		for on, d := range devices {
			out, err := kerneltest.Execute(d, row(c.name, c.g, c.clip, len(c.g)))
			if err != nil {
				t.Fatal(err)
			}
			got := kerneltest.Floats(engine.Float32, out[1])
			if !kerneltest.Exact.Within(got[0], c.norm) || !kerneltest.Exact.Within(got[1], c.scale) {
				t.Errorf("%s: %s: norm and scale %v, want [%v %v]", on, c.name, got, c.norm, c.scale)
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
	g, out := engine.NewTensor(m, 0, engine.Float32, 0, 3, 4), engine.NewTensor(m, 512, engine.Float32, 0, 2)
	for want, err := range map[string]error{
		"norm: gradient is float32[3 3] with rows 4 apart": Run(d, g.Columns(0, 3), out, 1),
		"norm: gradient is int32[2] with rows 2 apart":     Run(d, engine.NewTensor(m, 0, engine.Int32, 0, 2), out, 1),
		"norm: gradient is float32[] with":                 Run(d, engine.Tensor{}, out, 1),
		"norm: out is float32[1], want float32[2]":         Run(d, g, out.Prefix(1), 1),
		"norm: the norm cannot be clipped to -1":           Run(d, g, out, -1),
		"norm: the norm cannot be clipped to NaN; 0 means": Run(d, g, out, math.NaN()),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
}

func TestAllocations(t *testing.T) {
	for on, d := range kerneltest.Devices(t) {
		if d.Separate() {
			continue // the virtual machine allocates for itself
		}
		m, err := d.Alloc(1 << 16)
		if err != nil {
			t.Fatal(err)
		}
		g, out := engine.NewTensor(m, 0, engine.Float32, 0, 10000), engine.NewTensor(m, 60000, engine.Float32, 0, 2)
		if n := testing.AllocsPerRun(10, func() { _ = Run(d, g, out, 1) }); n != 0 {
			t.Errorf("%s: %v allocations a call", on, n)
		}
	}
}

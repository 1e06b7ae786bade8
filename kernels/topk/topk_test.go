package topk

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

func TestRows(t *testing.T) { kerneltest.Run(t, Rows(*kerneltest.Long)) }

// TestByHand holds every device, the reference too, to results known by hand.
func TestByHand(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	devices := kerneltest.Devices(t)
	devices["ref"] = host.NewRef()
	for _, c := range []struct {
		name    string
		p       []float64
		classes []float64
	}{
		{"order", []float64{0.125, 0.875, 0.5, 0.75}, []float64{1, 3, 2}},
		{"ties", []float64{1, 2, 1, 2, 1, 2}, []float64{1, 3, 5, 0}},
		{"zeros", []float64{-1, 0, math.Copysign(0, -1), 0, 1}, []float64{4, 1, 2, 3}},
		{"nan", []float64{nan, -inf, nan, 1, inf}, []float64{4, 3, 1, 0, 2}},
		{"nan last", []float64{nan, nan, 1, nan, 0}, []float64{2, 4, 0}},
		{"none", []float64{1, 2}, []float64{}},
	} {
		p := make([]float32, len(c.p))
		for i := range p {
			p[i] = float32(c.p[i])
		}
		for on, d := range devices {
			out, err := kerneltest.Execute(d, row("", p, 1, len(p), len(c.classes), 0))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.classes, kerneltest.Floats(engine.Int32, out[2])); diff != "" {
				t.Errorf("%s: %s: classes (-want +got):\n%s", on, c.name, diff)
			}
			for i, v := range kerneltest.Floats(engine.Float32, out[1]) {
				if want := c.p[int(c.classes[i])]; !kerneltest.Exact.Within(v, want) || math.Signbit(v) != math.Signbit(want) && v == v {
					t.Errorf("%s: %s: value %d is %v, want %v", on, c.name, i, v, want)
				}
			}
		}
	}
}

// TestBatch: a row gives the same alone and in a batch.
func TestBatch(t *testing.T) {
	const b, classes, k = 37, 517, 20
	p := scores(1, b*classes, 2)
	for on, d := range kerneltest.Devices(t) {
		all, err := kerneltest.Execute(d, row("", p, b, classes, k, 0))
		if err != nil {
			t.Fatal(err)
		}
		for i := range b {
			one, err := kerneltest.Execute(d, row("", p[i*classes:(i+1)*classes], 1, classes, k, 0))
			if err != nil {
				t.Fatal(err)
			}
			for a := 1; a <= 2; a++ {
				if string(one[a]) != string(all[a][4*i*k:4*(i+1)*k]) {
					t.Fatalf("%s: row %d gives other results alone", on, i)
				}
			}
		}
	}
}

func TestErrors(t *testing.T) {
	d := host.NewRef()
	m, err := d.Alloc(4096)
	if err != nil {
		t.Fatal(err)
	}
	p, v, c := engine.NewTensor(m, 0, engine.Float32, 0, 2, 6), engine.NewTensor(m, 1024, engine.Float32, 0, 2, 7), engine.NewTensor(m, 2048, engine.Int32, 0, 2, 7)
	for want, err := range map[string]error{
		"topk: the 7 highest of 6 classes were asked for":  Run(d, p, v, c),
		"topk: classes is int32[2 7], want int32[2 5]":     Run(d, p, v.Columns(0, 5), c),
		"topk: values is int32[2 7], want float32[2 -1]":   Run(d, p, c, c),
		"topk: values is float32[1 7], want float32[2 -1]": Run(d, p, v.Prefix(1), c),
		"topk: p is float32[12], want float32[-1 -1]":      Run(d, p.Reshape(12), v, c),
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
		p := engine.NewTensor(m, 0, engine.Float32, 0, 20, 100)
		v, c := engine.NewTensor(m, 16384, engine.Float32, 0, 20, 20), engine.NewTensor(m, 32768, engine.Int32, 0, 20, 20)
		if n := testing.AllocsPerRun(10, func() { _ = Run(d, p, v, c) }); n != 0 {
			t.Errorf("%s: %v allocations a call", on, n)
		}
	}
}

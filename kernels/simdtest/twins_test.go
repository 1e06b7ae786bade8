//go:build cgo

package simdtest

import (
	"math"
	"testing"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
	"avcu/engine/ptx"
)

// The CUDA prelude's exp, log and tanh give the bits of their twins in simd.h, for floats over the whole
// range and close to where their forms change. (Plain C has no fma and is not bound to that.)
func TestTwins(t *testing.T) {
	emu, err := cuda.Open(ptx.NewDriver(ptx.Options{}), cuda.Options{Name: "emu"})
	if err != nil {
		t.Fatal(err)
	}
	defer emu.Close()
	var all []float32
	for bits := uint64(0); bits <= math.MaxUint32; bits += 100003 {
		all = append(all, math.Float32frombits(uint32(bits)))
	}
	for _, x := range []float64{0, 0.625, 1, math.Sqrt2, 9.01091, 20, 87.33655, 88.72284, 89, 103.97208, 104, inf} {
		for k := range uint32(64) {
			b := math.Float32bits(float32(x)) + k - 32
			all = append(all, math.Float32frombits(b), -math.Float32frombits(b))
		}
	}
	var positive []float32 // and normal, or NaN: what log is for
	for _, x := range all {
		if x >= 0x1p-126 || x != x {
			positive = append(positive, x)
		}
	}
	for f, x := range map[Function][]float32{Exp: all, Log: positive, Tanh: all} {
		for len(x)%64 != 0 { // whole vectors
			x = append(x, 1)
		}
		got := onCUDA(t, emu, f, x)
		each(t, func(t *testing.T, d *host.CPU) {
			if d.Arch() == host.Plain.String() {
				return
			}
			want := make([]float32, len(x))
			Map(d, f, want, x, nil, nil)
			for i := range x {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) && !(got[i] != got[i] && want[i] != want[i]) {
					t.Fatalf("%v(%v) is %v, and %v by the prelude", f, x[i], want[i], got[i])
				}
			}
		})
	}
}

func onCUDA(t *testing.T, d *cuda.Device, f Function, x []float32) []float32 {
	var tensors [2]engine.Tensor
	for i := range tensors {
		m, err := d.Alloc(4 * int64(len(x)))
		if err != nil {
			t.Fatal(err)
		}
		tensors[i] = engine.NewTensor(m, 0, engine.Float32, 0, len(x))
	}
	y := make([]float32, len(x))
	if err := engine.Write(d, tensors[0], x); err != nil {
		t.Fatal(err)
	}
	if err := MapCUDA(d, f, tensors[0], tensors[1]); err != nil {
		t.Fatal(err)
	}
	if err := engine.Read(d, y, tensors[1]); err != nil {
		t.Fatal(err)
	}
	return y
}

//go:build cgo

package simdtest

import (
	"math"
	"testing"

	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

// each runs f on every instruction set that is here.
func each(t *testing.T, f func(t *testing.T, d *host.CPU)) {
	for _, isa := range []host.ISA{host.Plain, host.AVX2, host.AVX512} {
		d, err := host.NewCPU(host.Options{Threads: 1, Limit: &isa})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if d.Arch() == isa.String() {
			t.Run(isa.String(), func(t *testing.T) { f(t, d) })
		}
	}
}

var (
	inf      = math.Inf(1)
	nan      = math.NaN()
	negative = math.Copysign(0, -1)
)

// same is equality that tells zeros by their sign and holds NaN equal to NaN.
func same(a, b float64) bool {
	return a == b && math.Signbit(a) == math.Signbit(b) || math.IsNaN(a) && math.IsNaN(b)
}

func TestRound(t *testing.T) {
	each(t, func(t *testing.T, d *host.CPU) {
		var x []float32
		for i := -4194303; i <= 4194303; i += 1021 { // |a| < 2^22
			for _, part := range []float32{-0.5, -0.25, 0, 0.25, 0.5} {
				x = append(x, float32(i)+part)
			}
		}
		for i := -64; i <= 64; i++ { // ties
			x = append(x, float32(i)/2, math.Nextafter32(float32(i)/2, 1e9), math.Nextafter32(float32(i)/2, -1e9))
		}
		for _, v := range mapped(d, Round, x) {
			if want := math.RoundToEven(float64(v.x)); v.y != want {
				t.Fatalf("vround(%v) = %v, want %v", v.x, v.y, want)
			}
		}
	})
}

type value struct {
	x float32
	y float64
}

// mapped is f over x of any length.
func mapped(d *host.CPU, f Function, x []float32) []value {
	n := (len(x) + Width(d) - 1) / Width(d) * Width(d)
	a, y := make([]float32, n), make([]float32, n)
	copy(a, x)
	Map(d, f, y, a, nil, nil)
	out := make([]value, len(x))
	for i := range out {
		out[i] = value{x[i], float64(y[i])}
	}
	return out
}

func TestSqrt(t *testing.T) {
	each(t, func(t *testing.T, d *host.CPU) {
		x := append([]float32{0, float32(negative), float32(inf), float32(nan), -1, 1e-45, 1.1754944e-38, math.MaxFloat32},
			kerneltest.Normal(kerneltest.Rand(1), 100_000, 1)...)
		for _, v := range mapped(d, Sqrt, x) {
			if want := float64(float32(math.Sqrt(float64(v.x)))); !same(v.y, want) { // correctly rounded
				t.Fatalf("vsqrt(%v) = %v, want %v", v.x, v.y, want)
			}
		}
	})
}

// TestPairs holds the functions of several vectors to their definition, on all pairs of special
// values and on random ones.
func TestPairs(t *testing.T) {
	special := []float64{0, negative, 1, -1, inf, -inf, nan, 1e-45, -1e-45, 3.4e38, -3.4e38}
	want := map[Function]func(a, b, c float64) float64{
		Max: func(a, b, c float64) float64 { // a NaN in a stays, one in b does not count
			if a < b {
				return b
			}
			return a
		},
		Min: func(a, b, c float64) float64 {
			if a > b {
				return b
			}
			return a
		},
		Sel: func(a, b, c float64) float64 {
			if a < 0 {
				return b
			}
			return c
		},
	}
	each(t, func(t *testing.T, d *host.CPU) {
		var a, b, c []float32
		for i, v := range special {
			for j, w := range special {
				a, b, c = append(a, float32(v)), append(b, float32(w)), append(c, float32(special[(i+2*j)%len(special)]))
			}
		}
		r := kerneltest.Rand(2)
		for n := 4096 - len(a); n > 0; n-- {
			a, b, c = append(a, float32(r.NormFloat64())), append(b, float32(r.NormFloat64())), append(c, float32(r.NormFloat64()))
		}
		y := make([]float32, len(a))
		for f, want := range want {
			Map(d, f, y, a, b, c)
			for i := range y {
				if w := want(float64(a[i]), float64(b[i]), float64(c[i])); !same(float64(y[i]), w) {
					t.Fatalf("%v(%v, %v, %v) = %v, want %v", f, a[i], b[i], c[i], y[i], w)
				}
			}
		}
		Map(d, FMA, y, a, b, c)
		for i := range y {
			x, once := float64(a[i])*float64(b[i])+float64(c[i]), float64(float32(math.FMA(float64(a[i]), float64(b[i]), float64(c[i]))))
			twice := float64(a[i]*b[i] + c[i]) // plain x86-64 rounds the product first
			if math.IsNaN(x) && math.IsNaN(float64(y[i])) || float64(y[i]) == once || d.Arch() == "plain" && same(float64(y[i]), twice) {
				continue
			}
			// FMA to float64 and then to float32 rounds twice: half an ulp and a hair.
			if e := ulps(float64(y[i]), x); !(e <= 0.5001) {
				t.Fatalf("vfma(%v, %v, %v) = %v, want %v", a[i], b[i], c[i], y[i], once)
			}
		}
	})
}

func TestBytes(t *testing.T) {
	each(t, func(t *testing.T, d *host.CPU) {
		x, y := make([]uint8, 1024), make([]float32, 1024)
		for i := range x {
			x[i] = uint8(i * 37) // odd: all 256 values, in every lane
		}
		Bytes(d, y, x)
		for i := range x {
			if y[i] != float32(x[i]) {
				t.Fatalf("vbytes(%d) = %v", x[i], y[i])
			}
		}
	})
}

func TestSums(t *testing.T) {
	each(t, func(t *testing.T, d *host.CPU) {
		vl := Width(d)
		r := kerneltest.Rand(3)
		x, y := kerneltest.Normal(r, 500*vl, 1), make([]float32, 500)
		x[7*vl+vl-1] = float32(nan)
		Sums(d, y, x)
		for j := range y {
			s := append([]float32(nil), x[j*vl:(j+1)*vl]...)
			for h := vl / 2; h > 0; h /= 2 { // halves folded onto each other
				for i := range h {
					s[i] += s[i+h]
				}
			}
			if !same(float64(y[j]), float64(s[0])) {
				t.Fatalf("vsum(%v) = %v, want %v", x[j*vl:(j+1)*vl], y[j], s[0])
			}
		}
		if y[7] == y[7] {
			t.Error("vsum lost a NaN")
		}
	})
}

// TestPart checks that vloadn and vstoren take k floats and no more: on either side lie values that
// would show.
func TestPart(t *testing.T) {
	each(t, func(t *testing.T, d *host.CPU) {
		vl := Width(d)
		for k := range vl {
			x, whole, y := make([]float32, vl), make([]float32, vl), make([]float32, vl)
			for i := range x {
				x[i], y[i] = float32(i+1), -99
			}
			Part(d, whole, y, x, k)
			for i := range vl {
				loaded, stored := float32(0), float32(-99)
				if i < k {
					loaded, stored = x[i], x[i]
				}
				if whole[i] != loaded || y[i] != stored {
					t.Fatalf("k = %d: lane %d loaded %v, want %v; memory holds %v, want %v", k, i, whole[i], loaded, y[i], stored)
				}
			}
		}
	})
}

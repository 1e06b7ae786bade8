//go:build cgo

package simdtest

import (
	"math"
	"testing"

	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

// TestAccuracy holds vexp, vlog and vtanh to the bounds that simd.h states, against float64: every
// float32 of the given bit ranges at a stride (all of them with -long).
func TestAccuracy(t *testing.T) {
	all := []span{{0, 0x7f800000}, {0x80000000, 0xff800000}}
	for _, c := range []struct {
		f      Function
		want   func(float64) float64
		ulp    float64
		spans  []span
		stride uint32
	}{
		{Exp, math.Exp, 2, all, 1021},
		// Where results pass from normal to subnormal to 0, and to infinity; and near 0.
		{Exp, math.Exp, 2, []span{around(-87.33655), around(-103.27893), around(-103.97208), around(88.72284), around(0.34657), around(-0.34657)}, 1},
		{Log, math.Log, 2, []span{{0x00800000, 0x7f800000}}, 1021},
		{Log, math.Log, 2, []span{around(1), around(math.Sqrt2), around(math.Sqrt2 / 2), around(2)}, 1},
		{Tanh, math.Tanh, 4, all, 1021},
		{Tanh, math.Tanh, 4, []span{around(0.625), around(-0.625), around(9.01091), around(-9.01091), around(1e-4)}, 1},
	} {
		if *kerneltest.Long {
			c.stride = 1
		}
		t.Run(c.f.String(), func(t *testing.T) {
			each(t, func(t *testing.T, d *host.CPU) {
				worst, at := sweep(d, c.f, c.want, c.spans, c.stride)
				t.Logf("%.3f ulp at %v (%#08x)", worst, at, math.Float32bits(at))
				if !(worst <= c.ulp) {
					t.Errorf("%v(%v) is %.2f ulp from %v, bound %v", c.f, at, worst, c.want(float64(at)), c.ulp)
				}
			})
		})
	}
}

func TestSpecialValues(t *testing.T) {
	small := float64(math.SmallestNonzeroFloat32)
	cases := []struct {
		f       Function
		x, want float64
	}{
		{Exp, 0, 1}, {Exp, negative, 1}, {Exp, inf, inf}, {Exp, -inf, 0}, {Exp, nan, nan}, {Exp, 89, inf}, {Exp, 1e38, inf},
		{Exp, -104, 0}, {Exp, -1e38, 0}, {Exp, small, 1}, {Exp, -small, 1},
		{Log, 1, 0}, {Log, nan, nan}, {Log, inf, inf},
		{Tanh, 0, 0}, {Tanh, negative, negative}, {Tanh, inf, 1}, {Tanh, -inf, -1}, {Tanh, nan, nan}, {Tanh, 20, 1}, {Tanh, -1e38, -1},
		{Tanh, small, small}, {Tanh, -small, -small}, {Tanh, 1e-38, float64(float32(1e-38))},
	}
	each(t, func(t *testing.T, d *host.CPU) {
		for _, c := range cases {
			if y := mapped(d, c.f, []float32{float32(c.x)})[0].y; !same(y, c.want) {
				t.Errorf("%v(%v) = %v, want %v", c.f, c.x, y, c.want)
			}
		}
	})
}

// TestTanhIsOdd: tanh(−a) = −tanh(a) to the bit.
func TestTanhIsOdd(t *testing.T) {
	each(t, func(t *testing.T, d *host.CPU) {
		x := kerneltest.Normal(kerneltest.Rand(4), 4096, 2)
		minus := make([]float32, len(x))
		for i := range x {
			minus[i] = -x[i]
		}
		a, b := mapped(d, Tanh, x), mapped(d, Tanh, minus)
		for i := range x {
			if a[i].y != -b[i].y {
				t.Fatalf("vtanh(%v) = %v but vtanh(%v) = %v", x[i], a[i].y, minus[i], b[i].y)
			}
		}
	})
}

// span is a range of float32 bit patterns.
type span struct{ from, to uint32 }

// around is 2,048 neighbours of x on either side.
func around(x float64) span {
	b := math.Float32bits(float32(x))
	return span{b - 2048, b + 2048}
}

// sweep is the largest distance of f from want in ulp of float32, and where.
func sweep(d *host.CPU, f Function, want func(float64) float64, spans []span, stride uint32) (worst float64, at float32) {
	const chunk = 1 << 14
	x, y := make([]float32, 0, chunk), make([]float32, chunk)
	flush := func() {
		n := len(x)
		x = x[:chunk] // what lies behind n is of an earlier round
		Map(d, f, y, x, nil, nil)
		for i, a := range x[:n] {
			if e := ulps(float64(y[i]), want(float64(a))); !(e <= worst) {
				worst, at = e, a
			}
		}
		x = x[:0]
	}
	for _, s := range spans {
		for b := uint64(s.from); b <= uint64(s.to); b += uint64(stride) {
			if x = append(x, math.Float32frombits(uint32(b))); len(x) == chunk {
				flush()
			}
		}
	}
	flush()
	return worst, at
}

// ulps is |got−want| in units of the last place of a float32 of want's size. An infinite got counts as
// 2^128, so that a result may round to it.
func ulps(got, want float64) float64 {
	if got == want {
		return 0
	}
	if math.IsInf(got, 0) {
		got = math.Copysign(math.Ldexp(1, 128), got)
	}
	if math.Abs(want) > math.Ldexp(1, 128) {
		want = math.Copysign(math.Ldexp(1, 128), want)
	}
	if want == 0 {
		return math.Abs(got) / math.SmallestNonzeroFloat32
	}
	_, e := math.Frexp(want) // |want| in [2^(e-1), 2^e)
	return math.Abs(got-want) / math.Ldexp(1, max(min(e, 128)-24, -149))
}

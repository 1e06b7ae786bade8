package ptx

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// awkward is a float32 of any kind: special, denormal, near a power of two, or plain.
func awkward(r *rand.Rand) float32 {
	switch r.IntN(8) {
	case 0:
		special := []uint32{0, 1, 2, 0x007fffff, 0x00800000, 0x00800001, 0x3f800000, 0x3f800001, 0x3f7fffff, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0x7f800001, 0x34000000}
		return math.Float32frombits(special[r.IntN(len(special))] | uint32(r.IntN(2))<<31)
	case 1:
		return math.Float32frombits(r.Uint32() & 0x807fffff) // denormal
	case 2:
		return math.Float32frombits(r.Uint32()&0x80000000 | uint32(64+r.IntN(128))<<23 | uint32(r.IntN(4))) // few bits
	case 3:
		return math.Float32frombits(r.Uint32()&0x80000fff | uint32(64+r.IntN(128))<<23)
	}
	return math.Float32frombits(r.Uint32()&0x807fffff | uint32(100+r.IntN(54))<<23)
}

func exact(x float32) *big.Float { return new(big.Float).SetPrec(2000).SetFloat64(float64(x)) }

// fma32 is a*b + c rounded once, against exact arithmetic.
func TestFMA(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	check := func(a, b, c float32) {
		got := fma32(a, b, c)
		p := float64(a) * float64(b)
		if s := p + float64(c); math.IsNaN(s) || math.IsInf(p, 0) || math.IsInf(float64(c), 0) {
			if math.IsNaN(s) && math.Float32bits(got) == nan32 || float64(got) == s {
				return
			}
			t.Fatalf("fma(%g, %g, %g) = %g", a, b, c, got)
		}
		sum := exact(a)
		sum.Mul(sum, exact(b)).Add(sum, exact(c))
		want, _ := sum.Float32()
		if sum.Sign() == 0 {
			want = float32(p + float64(c)) // the sign of zero
		}
		if math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("fma(%b, %b, %b) = %b, want %b", a, b, c, got, want)
		}
	}
	n := 1_000_000
	if testing.Short() {
		n = 50_000
	}
	for range n {
		a, b, c := awkward(r), awkward(r), awkward(r)
		check(a, b, c)
		check(a, b, -a*b)                                                                            // what the product's rounding lost
		check(a, b, math.Float32frombits(r.Uint32()&0x80000000|uint32(1+r.IntN(20))))                // far below
		check(a, b, float32(math.Ldexp(float64(a)*float64(b), 24+r.IntN(3)))*float32(1-2*r.IntN(2))) // at the edge of its bits
	}
	// A sum that lies just above, on and just below a tie, which the second rounding would get wrong.
	half := float32(1 << 24)
	for _, e := range []float32{0, 0x1p-40, -0x1p-40, 0x1p-100, -0x1p-100} {
		check(half, 1, 1+e)
		check(half+2, 1, 1+e)
		check(1+0x1p-12, 1+0x1p-12, e)
		check(1+0x1p-12, 1-0x1p-12, e)
		check(-(1 + 0x1p-12), 1+0x1p-12, e)
	}
	for _, z := range [][4]float32{{0, 1, float32(math.Copysign(0, -1)), 0}, {float32(math.Copysign(0, -1)), 1, float32(math.Copysign(0, -1)), float32(math.Copysign(0, -1))}, {1, 1, -1, 0}} {
		if got := fma32(z[0], z[1], z[2]); math.Float32bits(got) != math.Float32bits(z[3]) {
			t.Errorf("fma(%g, %g, %g) = %g, want %g", z[0], z[1], z[2], got, z[3])
		}
	}
}

// The lanes of a warp are what fma32 is.
func TestFMALanes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		var x, y, z, o [lanes]float32
		for i := range lanes {
			x[i], y[i], z[i] = awkward(r), awkward(r), awkward(r)
			o[i] = fma32(x[i], y[i], z[i])
		}
		fmaLanes32(pointer(&z), pointer(&x), pointer(&y), pointer(&z)) // in place
		for i := range lanes {
			if math.Float32bits(z[i]) != math.Float32bits(o[i]) {
				t.Fatalf("lane %d: fma(%b, %b, …) = %b, want %b", i, x[i], y[i], z[i], o[i])
			}
		}
	}
}

func TestQuotientsAndRoots(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100_000 {
		a, b := awkward(r), awkward(r)
		for name, c := range map[string]struct{ got, a, b float32 }{"div": {one32(a / b), a, b}, "rcp": {rcp32(b), 1, b}, "sqrt": {sqrt32(a), a, 1}} {
			if name == "sqrt" {
				if a > 0 && !math.IsInf(float64(a), 0) {
					if want, _ := new(big.Float).SetPrec(200).Sqrt(exact(a)).Float32(); c.got != want {
						t.Fatalf("sqrt(%b) = %b, want %b", a, c.got, want)
					}
				}
				continue
			}
			if q := float64(c.a) / float64(c.b); math.IsNaN(q) || math.IsInf(q, 0) || q == 0 {
				if !(math.IsNaN(q) && math.Float32bits(c.got) == nan32 || float64(c.got) == q) {
					t.Fatalf("%s: %b / %b = %b", name, c.a, c.b, c.got)
				}
				continue
			}
			if want, _ := new(big.Float).SetPrec(400).Quo(exact(c.a), exact(c.b)).Float32(); c.got != want {
				t.Fatalf("%s: %b / %b = %b, want %b", name, c.a, c.b, c.got, want)
			}
		}
	}
}

// Conversions of integers in every direction, against exact arithmetic.
func TestIntegersToFloats(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	modes := map[string]big.RoundingMode{"rn": big.ToNearestEven, "rz": big.ToZero, "rm": big.ToNegativeInf, "rp": big.ToPositiveInf}
	for range 20_000 {
		n := r.Uint64() >> r.IntN(64) << r.IntN(3)
		for rounding, mode := range modes {
			for _, from := range []string{"s32", "u32", "s64", "u64"} {
				x := new(big.Float).SetPrec(64).SetUint64(extend(n, from))
				if from[0] == 's' {
					x.SetInt64(int64(extend(n, from)))
				}
				for to, prec := range map[string]uint{"f32": 24, "f64": 53} {
					got := (&conversion{from: from, to: to, rounding: rounding}).convert(n)
					want, _ := new(big.Float).SetPrec(prec).SetMode(mode).Set(x).Float64()
					have := math.Float64frombits(got)
					if to == "f32" {
						have = float64(math.Float32frombits(uint32(got)))
					}
					if have != want {
						t.Fatalf("cvt.%s.%s.%s of %#x = %v, want %v", rounding, to, from, n, have, want)
					}
				}
			}
		}
	}
}

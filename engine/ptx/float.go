package ptx

import (
	"math"
	"math/bits"
	"unsafe"
)

// Single precision is Go's float32, whose sums, products, quotients and roots are rounded once, to even,
// with denormals; only NaN is made the one that NVIDIA's hardware gives. Double precision likewise.
const (
	nan32     = 0x7fffffff
	nan64     = 0xfff8000000000000 // where no operand was NaN
	quietBit  = 1 << 51
	tieMask   = 1<<29 - 1
	tie       = 1 << 28
	normalLow = uint64(1023-126) << 53  // exponent bits of 2^-126, doubled
	normalTop = uint64(1023+1024) << 53 // of infinity
)

// fma32 is a*b + c of float32, rounded once.
func fma32(a, b, c float32) float32 {
	p := float64(a) * float64(b) // exact: 48 bits
	return fixSum(p, float64(c), p+float64(c))
}

// fixSum rounds p+c to float32, once, where s is the sum in float64. Rounding s again would be wrong
// only where s lies on a tie of float32 or the result is denormal; there s is first rounded to odd, by
// the exact error of the sum (Knuth's TwoSum), which makes the second rounding right.
func fixSum(p, c, s float64) float32 {
	if s != s {
		return math.Float32frombits(nan32)
	}
	if !math.IsInf(s, 0) {
		v := s - p
		if e := (p - (s - v)) + (c - v); e != 0 {
			b := math.Float64bits(s)
			if b&1 == 0 {
				if (e > 0) == (s > 0) {
					b++
				} else {
					b--
				}
				s = math.Float64frombits(b)
			}
		}
	}
	return float32(s)
}

func fmaLanes32(d, a, b, c unsafe.Pointer) {
	o, x, y, z := of[float32](d), of[float32](a), of[float32](b), of[float32](c)
	var hard uint32 // lanes to be looked at closely, left as they are meanwhile
	for i := range o {
		s := float64(x[i])*float64(y[i]) + float64(z[i])
		u := math.Float64bits(s)
		// Fast: a normal result away from a tie, or zero.
		if u&tieMask != tie && u<<1-normalLow < normalTop-normalLow || s == 0 {
			o[i] = float32(s)
		} else {
			hard |= 1 << i
		}
	}
	for ; hard != 0; hard &= hard - 1 {
		i := bits.TrailingZeros32(hard)
		o[i] = fma32(x[i], y[i], z[i])
	}
}

func addLanes32(d, a, b, _ unsafe.Pointer) {
	o, x, y := of[float32](d), of[float32](a), of[float32](b)
	for i := range o {
		o[i] = one32(x[i] + y[i])
	}
}

func subLanes32(d, a, b, _ unsafe.Pointer) {
	o, x, y := of[float32](d), of[float32](a), of[float32](b)
	for i := range o {
		o[i] = one32(x[i] - y[i])
	}
}

func mulLanes32(d, a, b, _ unsafe.Pointer) {
	o, x, y := of[float32](d), of[float32](a), of[float32](b)
	for i := range o {
		o[i] = one32(x[i] * y[i])
	}
}

func divLanes32(d, a, b, _ unsafe.Pointer) {
	o, x, y := of[float32](d), of[float32](a), of[float32](b)
	for i := range o {
		o[i] = one32(x[i] / y[i])
	}
}

// one32 is v, or the one NaN.
func one32(v float32) float32 {
	if v != v {
		return math.Float32frombits(nan32)
	}
	return v
}

func sqrt32(a float32) float32 { return one32(float32(math.Sqrt(float64(a)))) }
func rcp32(a float32) float32  { return one32(1 / a) }

// lesser32 and the like choose: a NaN loses against a number, and -0 is below +0.
func lesser32(a, b float32) float32 {
	switch {
	case a != a:
		return one32(b)
	case b != b || a < b:
		return a
	case a == b:
		return math.Float32frombits(math.Float32bits(a) | math.Float32bits(b))
	}
	return b
}

func greater32(a, b float32) float32 {
	switch {
	case a != a:
		return one32(b)
	case b != b || a > b:
		return a
	case a == b:
		return math.Float32frombits(math.Float32bits(a) & math.Float32bits(b))
	}
	return b
}

func lesser64(a, b float64) float64 {
	switch {
	case a != a:
		return one64(b, a, b, b)
	case b != b || a < b:
		return a
	case a == b:
		return math.Float64frombits(math.Float64bits(a) | math.Float64bits(b))
	}
	return b
}

func greater64(a, b float64) float64 {
	switch {
	case a != a:
		return one64(b, a, b, b)
	case b != b || a > b:
		return a
	case a == b:
		return math.Float64frombits(math.Float64bits(a) & math.Float64bits(b))
	}
	return b
}

// one64 is v; where that is NaN, the first operand that is NaN, made quiet, or the default NaN.
func one64(v, a, b, c float64) float64 {
	if v == v {
		return v
	}
	for _, x := range [...]float64{a, b, c} {
		if x != x {
			return math.Float64frombits(math.Float64bits(x) | quietBit)
		}
	}
	return math.Float64frombits(nan64)
}

func add64(a, b float64) float64 { return one64(a+b, a, b, b) }
func sub64(a, b float64) float64 { return one64(a-b, a, b, b) }
func mul64(a, b float64) float64 { return one64(a*b, a, b, b) }
func div64(a, b float64) float64 { return one64(a/b, a, b, b) }
func sqrt64(a float64) float64   { return one64(math.Sqrt(a), a, a, a) }
func rcp64(a float64) float64    { return one64(1/a, a, a, a) }

func fma64(a, b, c float64) float64 { return one64(math.FMA(a, b, c), a, b, c) }

func copySign[T word](sign, a T) T {
	top := ^(^T(0) >> 1)
	return a&^top | sign&top
}

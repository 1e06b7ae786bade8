package ptx

import (
	"math"
	"strings"
	"unsafe"
)

// A conversion goes through 64 bits: an integer, sign- or zero-extended, or a float64.
type conversion struct {
	from, to  string // types
	rounding  string // "rn", "rz", "rm", "rp", "rni", …, or empty
	saturate  bool
	wideIn    bool // the source register has 64 bits
	wideOut   bool
	shortOut  bool // the destination register has 16 bits
	fromFloat bool
}

// fastConversion is a conversion that needs no case distinctions in the loop, or nil.
func fastConversion(op string) alu {
	switch op {
	case "cvt.u64.u32":
		return func(d, a, _, _ unsafe.Pointer) {
			o, x := of[uint64](d), of[uint32](a)
			for i := range o {
				o[i] = uint64(x[i])
			}
		}
	case "cvt.s64.s32":
		return func(d, a, _, _ unsafe.Pointer) {
			o, x := of[int64](d), of[int32](a)
			for i := range o {
				o[i] = int64(x[i])
			}
		}
	case "cvt.u32.u64", "cvt.s32.s64", "cvt.u32.s64", "cvt.s32.u64":
		return func(d, a, _, _ unsafe.Pointer) {
			o, x := of[uint32](d), of[uint64](a)
			for i := range o {
				o[i] = uint32(x[i])
			}
		}
	case "cvt.rn.f32.s32":
		return one(func(a int32) float32 { return float32(a) })
	case "cvt.rn.f32.u32":
		return one(func(a uint32) float32 { return float32(a) })
	case "cvt.f64.f32":
		return one(func(a float32) float64 { return float64(one32(a)) })
	case "cvt.rn.f32.f64":
		return one(func(a float64) float32 { return one32(float32(a)) })
	}
	return nil
}

// convert is one element: bits in, bits out.
func (c *conversion) convert(in uint64) uint64 {
	if c.fromFloat {
		var x float64
		if c.from == "f64" {
			x = math.Float64frombits(in)
		} else {
			x = float64(math.Float32frombits(uint32(in)))
		}
		return c.fromNumber(x)
	}
	n, signed := extend(in, c.from), c.from[0] == 's'
	if c.to[0] != 'f' {
		if c.saturate {
			n = saturateInt(n, signed, c.to)
		}
		return c.widen(n)
	}
	return c.toFloat(n, signed)
}

// extend is an integer of a type as 64 bits.
func extend(n uint64, from string) uint64 {
	switch from {
	case "u8":
		return uint64(uint8(n))
	case "s8":
		return uint64(int8(n))
	case "u16":
		return uint64(uint16(n))
	case "s16":
		return uint64(int16(n))
	case "u32":
		return uint64(uint32(n))
	case "s32":
		return uint64(int32(n))
	}
	return n
}

// limits of an integer type.
func limits(of string) (low int64, high uint64) {
	bits, _ := typeBits(of)
	if of[0] == 's' {
		return -1 << (bits - 1), 1<<(bits-1) - 1
	}
	return 0, ^uint64(0) >> (64 - bits)
}

func saturateInt(n uint64, signed bool, to string) uint64 {
	low, high := limits(to)
	if signed && int64(n) < 0 {
		return uint64(max(int64(n), low))
	}
	return min(n, high)
}

// widen is what a register holds of an integer of type to: extended to the register's width.
func (c *conversion) widen(n uint64) uint64 {
	n = extend(n, c.to)
	if c.shortOut {
		n &= 0xffff
	}
	return n
}

func (c *conversion) toFloat(n uint64, signed bool) uint64 {
	if c.to == "f64" {
		f := float64(n)
		if signed {
			f = float64(int64(n))
		}
		return math.Float64bits(directed(f, c.rounding, intError(f, n, signed)))
	}
	f := float32(n)
	if signed {
		f = float32(int64(n))
	}
	return uint64(math.Float32bits(directed32(f, c.rounding, intError(float64(f), n, signed))))
}

// intError is the sign of n - f: exact for every f that n was rounded to.
func intError(f float64, n uint64, signed bool) int {
	var g uint64 // f as an integer
	switch {
	case signed && f >= 1<<63:
		return -1
	case signed:
		d := int64(n) - int64(f)
		return int(min(max(d, -1), 1))
	case f >= 1<<64:
		return -1
	case f >= 1<<63:
		g = uint64(f-1<<63) + 1<<63
	default:
		g = uint64(f)
	}
	switch {
	case n > g:
		return 1
	case n < g:
		return -1
	}
	return 0
}

// directed is the neighbour of f in the direction of a rounding, where e is the sign of exact - f and f
// the exact value rounded to nearest.
func directed(f float64, rounding string, e int) float64 {
	switch {
	case e > 0 && (rounding == "rp" || rounding == "rz" && f < 0):
		return math.Nextafter(f, math.Inf(1))
	case e < 0 && (rounding == "rm" || rounding == "rz" && f > 0):
		return math.Nextafter(f, math.Inf(-1))
	}
	return f
}

func directed32(f float32, rounding string, e int) float32 {
	switch {
	case e > 0 && (rounding == "rp" || rounding == "rz" && (f < 0 || f == 0 && math.Signbit(float64(f)))):
		return math.Nextafter32(f, float32(math.Inf(1)))
	case e < 0 && (rounding == "rm" || rounding == "rz" && (f > 0 || f == 0 && !math.Signbit(float64(f)))):
		return math.Nextafter32(f, float32(math.Inf(-1)))
	}
	return f
}

// whole rounds to a whole number.
func whole(x float64, rounding string) float64 {
	switch rounding {
	case "rni":
		return math.RoundToEven(x)
	case "rzi":
		return math.Trunc(x)
	case "rmi":
		return math.Floor(x)
	case "rpi":
		return math.Ceil(x)
	}
	return x
}

// fromNumber converts a float.
func (c *conversion) fromNumber(x float64) uint64 {
	if c.to[0] != 'f' {
		return c.toInteger(whole(x, c.rounding))
	}
	if strings.HasSuffix(c.rounding, "i") {
		x = whole(x, c.rounding)
	}
	if c.saturate {
		x = max(min(x, 1), 0)
		if x != x {
			x = 0
		}
	}
	if c.to == "f64" {
		if c.from == "f32" && x != x {
			return nan32to64
		}
		return math.Float64bits(one64(x, x, x, x))
	}
	f := one32(float32(x))
	e := 0
	if x == x && x > float64(f) {
		e = 1
	} else if x < float64(f) {
		e = -1
	}
	return uint64(math.Float32bits(directed32(f, c.rounding, e)))
}

// nan32to64 is the NaN of single precision in double precision.
const nan32to64 = 0x7fffffffe0000000

// toInteger clamps a whole number to the destination's type. NaN is 0 from f32 to at most 32 bits, else
// the highest bit alone (PTX, "cvt").
func (c *conversion) toInteger(x float64) uint64 {
	bits, _ := typeBits(c.to)
	low, high := limits(c.to)
	switch {
	case x != x:
		if c.from == "f64" || bits == 64 {
			return c.widen(1 << (bits - 1))
		}
		return 0
	case x <= float64(low):
		return c.widen(uint64(low))
	case x >= float64(high): // rounded up for 64 bits, so that equality is too large
		return c.widen(high)
	case x < 0:
		return c.widen(uint64(int64(x)))
	case x >= 1<<63:
		return c.widen(uint64(x-1<<63) + 1<<63)
	}
	return c.widen(uint64(int64(x)))
}

// lanes is the conversion of a warp.
func (c *conversion) lanes() alu {
	switch {
	case c.wideIn && c.wideOut:
		return one(c.convert)
	case c.wideIn:
		return one(func(a uint64) uint32 { return uint32(c.convert(a)) })
	case c.wideOut:
		return one(func(a uint32) uint64 { return c.convert(uint64(a)) })
	}
	return one(func(a uint32) uint32 { return uint32(c.convert(uint64(a))) })
}

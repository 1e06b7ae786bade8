package ptx

import (
	"math/bits"
	"unsafe"
)

// An alu computes one instruction for all 32 lanes: d, a, b and c are registers of a warp, arrays of 32
// elements of 4 or 8 bytes. It works lane by lane in order, so that d may be one of a, b and c; lanes
// that are switched off are computed too, and must do no harm.
type alu func(d, a, b, c unsafe.Pointer)

type integer interface {
	~int32 | ~uint32 | ~int64 | ~uint64
}

type word interface{ ~uint32 | ~uint64 }

// of is a register as an array of T.
func of[T any](p unsafe.Pointer) *[lanes]T { return (*[lanes]T)(p) }

func moveLanes[T word](d, a, _, _ unsafe.Pointer) { *of[T](d) = *of[T](a) }

func addLanes[T integer](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[T](d), of[T](a), of[T](b)
	for i := range o {
		o[i] = x[i] + y[i]
	}
}

func subLanes[T integer](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[T](d), of[T](a), of[T](b)
	for i := range o {
		o[i] = x[i] - y[i]
	}
}

func mulLanes[T integer](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[T](d), of[T](a), of[T](b)
	for i := range o {
		o[i] = x[i] * y[i]
	}
}

func madLanes[T integer](d, a, b, c unsafe.Pointer) {
	o, x, y, z := of[T](d), of[T](a), of[T](b), of[T](c)
	for i := range o {
		o[i] = x[i]*y[i] + z[i]
	}
}

// mulWideLanes multiplies 32 by 32 bits into 64.
func mulWideLanes[N int32 | uint32, W int64 | uint64](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[W](d), of[N](a), of[N](b)
	for i := range o {
		o[i] = W(x[i]) * W(y[i])
	}
}

func madWideLanes[N int32 | uint32, W int64 | uint64](d, a, b, c unsafe.Pointer) {
	o, x, y, z := of[W](d), of[N](a), of[N](b), of[W](c)
	for i := range o {
		o[i] = W(x[i])*W(y[i]) + z[i]
	}
}

func mulHighLanes[N int32 | uint32, W int64 | uint64](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[N](d), of[N](a), of[N](b)
	for i := range o {
		o[i] = N(W(x[i]) * W(y[i]) >> 32)
	}
}

func madHighLanes[N int32 | uint32, W int64 | uint64](d, a, b, c unsafe.Pointer) {
	o, x, y, z := of[N](d), of[N](a), of[N](b), of[N](c)
	for i := range o {
		o[i] = N(W(x[i])*W(y[i])>>32) + z[i]
	}
}

func mulHigh64(d, a, b, _ unsafe.Pointer) {
	o, x, y := of[uint64](d), of[uint64](a), of[uint64](b)
	for i := range o {
		o[i], _ = bits.Mul64(x[i], y[i])
	}
}

func mulHighSigned64(d, a, b, _ unsafe.Pointer) {
	o, x, y := of[int64](d), of[int64](a), of[int64](b)
	for i := range o {
		hi, _ := bits.Mul64(uint64(x[i]), uint64(y[i]))
		o[i] = int64(hi) - x[i]>>63&y[i] - y[i]>>63&x[i]
	}
}

// divLanes divides; by zero it gives all ones, as the hardware does (the manual leaves it open).
func divLanes[T integer](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[T](d), of[T](a), of[T](b)
	for i := range o {
		if y[i] == 0 {
			o[i] = ^T(0)
		} else {
			o[i] = x[i] / y[i]
		}
	}
}

func remLanes[T integer](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[T](d), of[T](a), of[T](b)
	for i := range o {
		if y[i] == 0 {
			o[i] = x[i]
		} else {
			o[i] = x[i] % y[i]
		}
	}
}

func minLanes[T integer](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[T](d), of[T](a), of[T](b)
	for i := range o {
		o[i] = min(x[i], y[i])
	}
}

func maxLanes[T integer](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[T](d), of[T](a), of[T](b)
	for i := range o {
		o[i] = max(x[i], y[i])
	}
}

func negLanes[T integer](d, a, _, _ unsafe.Pointer) {
	o, x := of[T](d), of[T](a)
	for i := range o {
		o[i] = -x[i]
	}
}

func absLanes[T int32 | int64](d, a, _, _ unsafe.Pointer) {
	o, x := of[T](d), of[T](a)
	for i := range o {
		o[i] = max(x[i], -x[i])
	}
}

func andLanes[T word](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[T](d), of[T](a), of[T](b)
	for i := range o {
		o[i] = x[i] & y[i]
	}
}

func orLanes[T word](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[T](d), of[T](a), of[T](b)
	for i := range o {
		o[i] = x[i] | y[i]
	}
}

func xorLanes[T word](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[T](d), of[T](a), of[T](b)
	for i := range o {
		o[i] = x[i] ^ y[i]
	}
}

func notLanes[T word](d, a, _, _ unsafe.Pointer) {
	o, x := of[T](d), of[T](a)
	for i := range o {
		o[i] = ^x[i]
	}
}

func cnotLanes[T word](d, a, _, _ unsafe.Pointer) {
	o, x := of[T](d), of[T](a)
	for i := range o {
		if x[i] == 0 {
			o[i] = 1
		} else {
			o[i] = 0
		}
	}
}

// shlLanes shifts left by a 32-bit number; by the width and more it gives 0, as Go does.
func shlLanes[T word](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[T](d), of[T](a), of[uint32](b)
	for i := range o {
		o[i] = x[i] << y[i]
	}
}

// shrLanes shifts right; a signed T copies its sign.
func shrLanes[T integer](d, a, b, _ unsafe.Pointer) {
	o, x, y := of[T](d), of[T](a), of[uint32](b)
	for i := range o {
		o[i] = x[i] >> y[i]
	}
}

// one makes an alu of a function of one element.
func one[D, A any](f func(A) D) alu {
	return func(d, a, _, _ unsafe.Pointer) {
		o, x := of[D](d), of[A](a)
		for i := range o {
			o[i] = f(x[i])
		}
	}
}

// two makes an alu of a function of two elements.
func two[D, A, B any](f func(A, B) D) alu {
	return func(d, a, b, _ unsafe.Pointer) {
		o, x, y := of[D](d), of[A](a), of[B](b)
		for i := range o {
			o[i] = f(x[i], y[i])
		}
	}
}

// three makes an alu of a function of three elements.
func three[D, A, B, C any](f func(A, B, C) D) alu {
	return func(d, a, b, c unsafe.Pointer) {
		o, x, y, z := of[D](d), of[A](a), of[B](b), of[C](c)
		for i := range o {
			o[i] = f(x[i], y[i], z[i])
		}
	}
}

// short makes an alu of 16-bit elements, which lie zero-extended in 32 bits, of one of int.
func short[T int16 | uint16](f func(a, b T) T) alu {
	return two(func(a, b uint32) uint32 { return uint32(uint16(f(T(a), T(b)))) })
}

package ptx

import "unsafe"

// extract is bfe: length bits from position, the sign copied where T is signed.
func extract[T integer](a T, pos, length uint32) T {
	width := uint32(unsafe.Sizeof(a) * 8)
	pos, length = pos&255, length&255
	if length == 0 {
		return 0
	}
	if pos >= width {
		var zero T
		if a < zero {
			return ^zero // the sign
		}
		return 0
	}
	length = min(length, width-pos)
	return a << (width - pos - length) >> (width - length)
}

// insert is bfi: the low length bits of a, put into b at position.
func insert[T word](a, b T, pos, length uint32) T {
	width := uint32(unsafe.Sizeof(a) * 8)
	pos, length = pos&255, length&255
	if length == 0 || pos >= width {
		return b
	}
	mask := T(1)<<min(length, width) - 1
	if length >= width {
		mask = ^T(0)
	}
	mask <<= pos
	return b&^mask | a<<pos&mask
}

// permute is prmt: four bytes chosen from those of a and b, each by four bits of s, of which the
// highest copies the sign of the byte.
func permute(a, b, s uint32) uint32 {
	all := uint64(b)<<32 | uint64(a)
	var d uint32
	for i := range 4 {
		sel := s >> (4 * i)
		v := byte(all >> (8 * (sel & 7)))
		if sel&8 != 0 {
			v = byte(int8(v) >> 7)
		}
		d |= uint32(v) << (8 * i)
	}
	return d
}

// funnel shifts the 64 bits b:a and gives the upper half of a left, the lower half of a right shift.
func funnel(a, b, n uint32, left, wrap bool) uint32 {
	if wrap {
		n &= 31
	} else {
		n = min(n, 32)
	}
	all := uint64(b)<<32 | uint64(a)
	if left {
		return uint32(all << n >> 32)
	}
	return uint32(all >> n)
}

// dot4 is the sum of the products of four bytes, and c.
func dot4[A, B int8 | uint8](a, b, c uint32) uint32 {
	for i := 0; i < 32; i += 8 {
		c += uint32(int32(A(a>>i)) * int32(B(b>>i)))
	}
	return c
}

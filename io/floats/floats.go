// Package floats turns stored numbers into float32 and back.
package floats

import (
	"encoding/binary"
	"io"
	"math"
	"slices"
)

// A Conversion converts the little-endian elements in src, of Size bytes each, into the first elements of dst.
type Conversion struct {
	Size    int
	convert func(dst []float32, src []byte)
}

// The conversions: float16 and bfloat16 are widened, float64 is rounded to the nearest float32. They are never changed.
var (
	Float32 = &Conversion{4, func(dst []float32, src []byte) {
		for i := range len(src) / 4 {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	}}
	Float64 = &Conversion{8, func(dst []float32, src []byte) {
		for i := range len(src) / 8 {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	}}
	BFloat16 = &Conversion{2, func(dst []float32, src []byte) {
		for i := range len(src) / 2 {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	}}
	Float16 = &Conversion{2, func(dst []float32, src []byte) {
		for i := range len(src) / 2 {
			dst[i] = Half(binary.LittleEndian.Uint16(src[2*i:]))
		}
	}}
)

// chunkBytes is how much of the stored elements is in memory at a time on its way: a multiple of every element size.
const chunkBytes = 1 << 20

// ReadAt reads len(dst) elements from element first on. With an error it returns the byte from which on r could not be read.
func (c *Conversion) ReadAt(r io.ReaderAt, first int, dst []float32) (at int64, err error) {
	buffer := make([]byte, min(chunkBytes, len(dst)*c.Size))
	at = int64(first) * int64(c.Size)
	for len(dst) > 0 {
		part := buffer[:min(len(buffer), len(dst)*c.Size)]
		if n, err := r.ReadAt(part, at); n < len(part) {
			return at, err
		}
		c.convert(dst, part)
		dst = dst[len(part)/c.Size:]
		at += int64(len(part))
	}
	return at, nil
}

// Write writes values, little-endian.
func Write(w io.Writer, values []float32) error {
	buffer := make([]byte, min(chunkBytes, 4*len(values)))
	for part := range slices.Chunk(values, chunkBytes/4) {
		if err := Put(w, buffer, part); err != nil {
			return err
		}
	}
	return nil
}

// Put is Write by way of a buffer that holds at least 4 bytes a value.
func Put(w io.Writer, buffer []byte, values []float32) error {
	for i, v := range values {
		binary.LittleEndian.PutUint32(buffer[4*i:], math.Float32bits(v))
	}
	_, err := w.Write(buffer[:4*len(values)])
	return err
}

// Half widens an IEEE 754 half: 1 bit of sign, 5 of exponent (bias 15), 10 of fraction.
func Half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch exponent {
	case 0: // zero or subnormal: fraction·2^-24, exact in float32
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 31: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

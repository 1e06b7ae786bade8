package paddle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// chunkBytes is how much of a tensor is in memory at a time on its way: a multiple of every element size.
const chunkBytes = 1 << 20

func inMemory(b []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

// Raw returns the bytes of a tensor, row-major and little-endian.
func (w *Weights) Raw(name string) (*io.SectionReader, error) {
	i, ok := w.index(name)
	if !ok {
		return nil, fmt.Errorf("paddle: %s: no tensor %q", w.path, name)
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.last != i {
		r, err := w.tensors[i].data.Reader()
		if err != nil {
			return nil, fmt.Errorf("paddle: %s: tensor %q: %w", w.path, name, err)
		}
		w.last, w.reader = i, r
	}
	return io.NewSectionReader(w.reader, 0, w.reader.Size()), nil
}

// Bytes returns all bytes of a tensor, row-major and little-endian.
func (w *Weights) Bytes(name string) ([]byte, error) {
	r, err := w.Raw(name)
	if err != nil {
		return nil, err
	}
	b := make([]byte, r.Size())
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("paddle: %s: tensor %q: %w", w.path, name, err)
	}
	return b, nil
}

// ReadFloat32 reads the whole tensor into dst, which must have its number of elements. Float16 and BFloat16 are widened,
// Float64 is rounded to the nearest float32; integers are an error.
func (w *Weights) ReadFloat32(name string, dst []float32) error {
	if t, ok := w.Tensor(name); ok && t.Len() != len(dst) {
		return fmt.Errorf("paddle: %s: tensor %q: shape %v has %d elements, %d wanted", w.path, name, t.Shape, t.Len(), len(dst))
	}
	return w.ReadFloat32At(name, 0, dst)
}

// ReadFloat32At reads len(dst) elements of the tensor from element first on, and converts them like ReadFloat32: for tensors
// that go into memory of another layout row by row.
func (w *Weights) ReadFloat32At(name string, first int, dst []float32) error {
	raw, err := w.Raw(name)
	if err != nil {
		return err
	}
	t, _ := w.Tensor(name)
	if first < 0 || first > t.Len() || len(dst) > t.Len()-first {
		return fmt.Errorf("paddle: %s: tensor %q: elements %d to %d wanted, it has %d", w.path, name, first, first+len(dst), t.Len())
	}
	convert, ok := toFloat32[t.DType]
	if !ok {
		return fmt.Errorf("paddle: %s: tensor %q: %s where float32 weights are wanted", w.path, name, t.DType)
	}
	size := t.DType.Size()
	buffer := make([]byte, min(chunkBytes, len(dst)*size))
	at := int64(first) * int64(size)
	for len(dst) > 0 {
		part := buffer[:min(len(buffer), len(dst)*size)]
		if n, err := raw.ReadAt(part, at); n < len(part) {
			return fmt.Errorf("paddle: %s: tensor %q: byte %d: %w", w.path, name, at, err)
		}
		convert(dst, part)
		dst = dst[len(part)/size:]
		at += int64(len(part))
	}
	return nil
}

// toFloat32 converts the little-endian elements in src into the first elements of dst.
var toFloat32 = map[DType]func(dst []float32, src []byte){
	Float32: func(dst []float32, src []byte) {
		for i := range len(src) / 4 {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	},
	Float64: func(dst []float32, src []byte) {
		for i := range len(src) / 8 {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	},
	BFloat16: func(dst []float32, src []byte) {
		for i := range len(src) / 2 {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	},
	Float16: func(dst []float32, src []byte) {
		for i := range len(src) / 2 {
			dst[i] = halfToFloat32(binary.LittleEndian.Uint16(src[2*i:]))
		}
	},
}

// halfToFloat32 widens a float16.
func halfToFloat32(half uint16) float32 {
	sign, exponent, fraction := uint32(half>>15)<<31, uint32(half>>10)&31, uint32(half)&1023
	switch exponent {
	case 31:
		return math.Float32frombits(sign | 255<<23 | fraction<<13)
	case 0:
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)/(1<<24)))
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

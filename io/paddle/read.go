package paddle

import (
	"bytes"
	"fmt"
	"io"

	"avcu/io/floats"
)

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
	conversion, ok := toFloat32[t.DType]
	if !ok {
		return fmt.Errorf("paddle: %s: tensor %q: %s where float32 weights are wanted", w.path, name, t.DType)
	}
	if at, err := conversion.ReadAt(raw, first, dst); err != nil {
		return fmt.Errorf("paddle: %s: tensor %q: byte %d: %w", w.path, name, at, err)
	}
	return nil
}

// toFloat32 are the types that weights may be stored in.
var toFloat32 = map[DType]*floats.Conversion{
	Float32: floats.Float32, Float64: floats.Float64, Float16: floats.Float16, BFloat16: floats.BFloat16,
}

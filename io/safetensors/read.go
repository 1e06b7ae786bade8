package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"

	"avcu/io/floats"
)

// File is an open safetensors file. Its methods may be called from several goroutines at once.
type File struct {
	path   string
	file   *os.File
	data   int64 // offset of the first byte after the header
	header *header
}

// Open reads and checks the header of the file at path; the data stays on disk until a tensor is read. An error names the
// file, and the tensor where one is at fault. Close the File when done.
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	f := &File{path: path, file: file}
	if err := f.readHeader(); err != nil {
		file.Close()
		return nil, fmt.Errorf("safetensors: %s: %w", path, err)
	}
	return f, nil
}

func (f *File) readHeader() error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("not a regular file")
	}
	var length [8]byte
	if _, err := f.file.ReadAt(length[:], 0); err == io.EOF {
		return fmt.Errorf("%d bytes are too few: not a safetensors file, or cut off", info.Size())
	} else if err != nil {
		return err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return fmt.Errorf("a header of %d bytes is longer than the %d that the format allows: not a safetensors file, or damaged", n, maxHeader)
	}
	if int64(n) > info.Size()-8 {
		return fmt.Errorf("a header of %d bytes does not fit into the file of %d: it was cut off; fetch or write it again", n, info.Size())
	}
	text := make([]byte, n)
	if _, err := f.file.ReadAt(text, 8); err != nil {
		return err
	}
	f.data = 8 + int64(n)
	f.header, err = parseHeader(text, info.Size()-f.data)
	return err
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Tensors returns the tensors in the order of their data.
func (f *File) Tensors() []Info { return slices.Clone(f.header.tensors) }

// Tensor returns the tensor of that name, and whether there is one.
func (f *File) Tensor(name string) (Info, bool) {
	i, ok := f.header.byName[name]
	if !ok {
		return Info{}, false
	}
	return f.header.tensors[i], true
}

// Metadata returns the file's map of strings, empty if it has none. It is the File's own: do not change it.
func (f *File) Metadata() map[string]string { return f.header.metadata }

// Raw returns the bytes of a tensor, row-major and little-endian.
func (f *File) Raw(name string) (*io.SectionReader, error) {
	t, ok := f.Tensor(name)
	if !ok {
		return nil, fmt.Errorf("safetensors: %s: no tensor %q", f.path, name)
	}
	return io.NewSectionReader(f.file, f.data+t.begin, t.bytes), nil
}

// ReadFloat32 reads the whole tensor into dst, which must have its number of elements. F16 and BF16 are widened, F64 is
// rounded to the nearest float32; integers are an error.
func (f *File) ReadFloat32(name string, dst []float32) error {
	if t, ok := f.Tensor(name); ok && t.Len() != len(dst) {
		return fmt.Errorf("safetensors: %s: tensor %q: shape %v has %d elements, %d wanted", f.path, name, t.Shape, t.Len(), len(dst))
	}
	return f.ReadFloat32At(name, 0, dst)
}

// ReadFloat32At reads len(dst) elements of the tensor from element first on, and converts them like ReadFloat32: for tensors
// that go into memory of another layout row by row.
func (f *File) ReadFloat32At(name string, first int, dst []float32) error {
	raw, err := f.Raw(name)
	if err != nil {
		return err
	}
	t, _ := f.Tensor(name)
	if first < 0 || first > t.Len() || len(dst) > t.Len()-first {
		return fmt.Errorf("safetensors: %s: tensor %q: elements %d to %d wanted, it has %d", f.path, name, first, first+len(dst), t.Len())
	}
	conversion, ok := toFloat32[t.DType]
	if !ok {
		return fmt.Errorf("safetensors: %s: tensor %q: %s where float32 weights are wanted", f.path, name, t.DType)
	}
	if at, err := conversion.ReadAt(raw, first, dst); err != nil {
		return fmt.Errorf("safetensors: %s: tensor %q: byte %d: %w", f.path, name, at, err)
	}
	return nil
}

// toFloat32 are the types that weights may be stored in.
var toFloat32 = map[DType]*floats.Conversion{
	F32: floats.Float32, F64: floats.Float64, F16: floats.Float16, BF16: floats.BFloat16,
}

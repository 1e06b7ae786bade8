package npy

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"avcu/io/floats"
	"avcu/io/safetensors"

	"github.com/klauspost/compress/flate"
)

// chunkBytes is how much is read at once, and how many elements get room on the mere word of an archive.
const chunkBytes = 1 << 16

// Array is an array in memory, its last index running fastest.
type Array struct {
	Name   string            // in an archive
	DType  safetensors.DType // of the elements in the file
	Shape  []int
	Bytes  []uint8   // the elements, if they are U8
	Floats []float32 // the elements, if they are F16, F32 or F64, rounded to nearest
}

// Read reads the arrays of these names from a .npz file, or all without names. A .npy file, told apart by content, holds one
// array, which has no name and answers to any. Elements must be uint8, float16, float32 or float64. An error names the file
// and the array.
func Read(path string, names ...string) ([]Array, error) {
	arrays, err := read(path, names)
	if err != nil {
		return nil, fmt.Errorf("npy: %s: %w", path, err)
	}
	return arrays, nil
}

func read(path string, names []string) ([]Array, error) {
	f, err := os.Open(path)
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return readContent(f, info.Size(), names)
}

// readContent reads a file of this size.
func readContent(f io.ReaderAt, size int64, names []string) ([]Array, error) {
	var head [2]byte
	if _, err := f.ReadAt(head[:], 0); err != nil && err != io.EOF {
		return nil, err
	}
	if string(head[:]) == "PK" {
		return readArchive(f, size, names)
	}
	if len(names) > 1 {
		return nil, fmt.Errorf("one array, and %s are wanted: save them with numpy.savez", strings.Join(names, ", "))
	}
	a, err := readArray(io.NewSectionReader(f, 0, size), size, true)
	if err != nil {
		return nil, err
	}
	a.Name = strings.Join(names, "")
	return []Array{a}, nil
}

// readArchive reads a zip archive of this size.
func readArchive(r io.ReaderAt, size int64, names []string) ([]Array, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("a damaged archive, perhaps cut off (%w): %s", err, again)
	}
	archive.RegisterDecompressor(zip.Deflate, inflater())
	files := map[string]*zip.File{}
	var order []string
	for _, f := range archive.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			continue
		}
		if files[name] != nil {
			return nil, fmt.Errorf("array %q comes twice", name)
		}
		files[name] = f
		order = append(order, name)
	}
	if len(names) == 0 {
		names = order
	}
	var arrays []Array
	left := uint64(size)
	for _, name := range names {
		f := files[name]
		if f == nil {
			return nil, fmt.Errorf("no array %q; there are: %.500s", name, strings.Join(order, ", "))
		}
		if f.CompressedSize64 > left {
			return nil, fmt.Errorf("array %q lies where another does: the archive is damaged; %s", name, again)
		}
		left -= f.CompressedSize64
		a, err := readMember(f)
		if err != nil {
			return nil, fmt.Errorf("array %q: %w", name, err)
		}
		a.Name = name
		arrays = append(arrays, a)
	}
	return arrays, nil
}

// inflater returns a decompressor for members that are read one after the other. It keeps its buffers and tables, where Go's
// makes new tables for every block.
func inflater() zip.Decompressor {
	in := bufio.NewReader(nil)
	out := flate.NewReader(in)
	return func(r io.Reader) io.ReadCloser {
		in.Reset(r)
		_ = out.(flate.Resetter).Reset(in, nil) // it cannot fail
		return out
	}
}

func readMember(f *zip.File) (Array, error) {
	r, err := f.Open()
	if err != nil {
		return Array{}, err
	}
	defer r.Close()
	if f.UncompressedSize64 > math.MaxInt64 {
		return Array{}, errors.New("larger than any file can be: the archive is damaged; " + again)
	}
	return readArray(r, int64(f.UncompressedSize64), false)
}

// readArray reads an array that takes all of size bytes. Known: so many bytes are there for certain.
func readArray(r io.Reader, size int64, known bool) (Array, error) {
	h, headerSize, err := readHeader(r)
	if err != nil {
		return Array{}, err
	}
	n, dataSize, err := h.dataSize()
	if err != nil {
		return Array{}, err
	}
	if rest := size - headerSize; rest < dataSize {
		return Array{}, fmt.Errorf("shape %v of %s takes %d bytes and %d are there: it was cut off; %s", h.shape, h.dtype, dataSize, rest, again)
	} else if rest > dataSize {
		return Array{}, fmt.Errorf("%d bytes follow the array: save it again, alone", rest-dataSize)
	}
	room := n
	if !known {
		room = min(n, chunkBytes)
	}
	a := Array{DType: h.dtype, Shape: h.shape}
	if h.dtype == safetensors.U8 {
		a.Bytes, err = decode(r, make([]uint8, 0, room), dataSize, func(dst []uint8, b []byte) []uint8 { return append(dst, b...) })
	} else if widen := toFloat32[h.dtype]; widen != nil {
		width := h.dtype.Size()
		a.Floats, err = decode(r, make([]float32, 0, room), dataSize, func(dst []float32, b []byte) []float32 {
			for at := 0; at < len(b); at += width {
				dst = append(dst, widen(h.order, b[at:]))
			}
			return dst
		})
	} else {
		err = fmt.Errorf("elements of type %s are no features: save array.astype(numpy.float32) or an array of uint8", h.dtype)
	}
	if err != nil {
		return Array{}, err
	}
	if h.fortran {
		a.Bytes, a.Floats = rowMajor(a.Bytes, a.Shape), rowMajor(a.Floats, a.Shape)
	}
	return a, nil
}

// toFloat32 are the types that become float32.
var toFloat32 = map[safetensors.DType]func(binary.ByteOrder, []byte) float32{
	safetensors.F16: func(o binary.ByteOrder, b []byte) float32 { return floats.Half(o.Uint16(b)) },
	safetensors.F32: func(o binary.ByteOrder, b []byte) float32 { return math.Float32frombits(o.Uint32(b)) },
	safetensors.F64: func(o binary.ByteOrder, b []byte) float32 { return float32(math.Float64frombits(o.Uint64(b))) },
}

// decode appends to dst what add makes of size bytes, and wants the end to come then.
func decode[T any](r io.Reader, dst []T, size int64, add func(dst []T, b []byte) []T) ([]T, error) {
	buffer := make([]byte, min(chunkBytes, size))
	for read := int64(0); read < size; {
		part := buffer[:min(chunkBytes, size-read)]
		n, err := io.ReadFull(r, part)
		if read += int64(n); err != nil {
			return nil, fmt.Errorf("its data breaks off after %d bytes of %d (%w): %s", read, size, err, again)
		}
		dst = add(dst, part)
	}
	if _, err := io.ReadFull(r, make([]byte, 1)); err != io.EOF { // where an archive compares its checksum
		return nil, fmt.Errorf("its data does not end as it should: it is damaged (%v); %s", err, again)
	}
	return dst, nil
}

// rowMajor rearranges elements of which the first index runs fastest.
func rowMajor[T any](data []T, shape []int) []T {
	if data == nil {
		return nil
	}
	out := make([]T, len(data))
	strides := make([]int, len(shape))
	stride := 1
	for d, n := range slices.Backward(shape) {
		strides[d] = stride
		stride *= n
	}
	index := make([]int, len(shape))
	at := 0
	for _, v := range data {
		out[at] = v
		for d, n := range shape {
			index[d]++
			at += strides[d]
			if index[d] < n {
				break
			}
			at -= n * strides[d]
			index[d] = 0
		}
	}
	return out
}

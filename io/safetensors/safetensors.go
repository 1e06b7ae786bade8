// Package safetensors reads and writes the safetensors format: named tensors of plain numbers in one file that can run no
// code and can be read tensor by tensor.
//
// A file is: the header's length as a little-endian uint64; the header, a JSON object that gives each tensor's dtype, shape
// and data_offsets (first byte and the byte after the last, counted from the end of the header) and, under __metadata__, a
// map of strings; the data, row-major and little-endian, without holes or overlaps up to the end of the file.
//
// Source: https://github.com/huggingface/safetensors, section Format.
package safetensors

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
)

// maxHeader is the longest header that the format allows.
const maxHeader = 100_000_000

// maxDims is the most dimensions that we read or write.
const maxDims = 64

// DType is a type of elements as the format writes it.
type DType string

// The types of the format whose elements are whole bytes.
const (
	Bool DType = "BOOL"
	U8   DType = "U8"
	I8   DType = "I8"
	U16  DType = "U16"
	I16  DType = "I16"
	U32  DType = "U32"
	I32  DType = "I32"
	U64  DType = "U64"
	I64  DType = "I64"
	F16  DType = "F16"
	BF16 DType = "BF16"
	F32  DType = "F32"
	F64  DType = "F64"
)

// Size returns the bytes of one element, 0 for a type that is not one of this package's.
func (d DType) Size() int {
	switch d {
	case Bool, U8, I8:
		return 1
	case U16, I16, F16, BF16:
		return 2
	case U32, I32, F32:
		return 4
	case U64, I64, F64:
		return 8
	}
	return 0
}

// Info describes one tensor of a file.
type Info struct {
	Name  string
	DType DType
	Shape []int // empty for a single number
	begin int64 // offset of the first byte from the end of the header
	bytes int64
}

// Len returns the number of elements.
func (t Info) Len() int { return int(t.bytes) / t.DType.Size() }

// byteSize returns the bytes that a tensor takes.
func byteSize(dtype DType, shape []int) (int64, error) {
	size := uint64(dtype.Size())
	if size == 0 {
		return 0, fmt.Errorf("dtype %.40q is not supported: convert the tensor to F32", dtype)
	}
	if len(shape) > maxDims {
		return 0, fmt.Errorf("%d dimensions, at most %d are supported", len(shape), maxDims)
	}
	for _, n := range shape {
		if n < 0 {
			return 0, fmt.Errorf("shape %v has a negative size", shape)
		}
		high, low := bits.Mul64(size, uint64(n))
		if high != 0 || low > 1<<62 {
			return 0, fmt.Errorf("shape %v of %s overflows the count of bytes", shape, dtype)
		}
		size = low
	}
	return int64(size), nil
}

// Is reports whether the file at path looks like a safetensors file: its ninth byte opens the header's JSON object. The first
// eight are a length and may look like anything, so ask this before looking for other forms. A folder and a file too short
// are not.
func Is(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("safetensors: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return false, fmt.Errorf("safetensors: %w", err)
	} else if info.IsDir() {
		return false, nil
	}
	var head [9]byte
	if _, err := io.ReadFull(f, head[:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("safetensors: %w", err)
	}
	return head[8] == '{', nil
}

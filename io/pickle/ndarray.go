package pickle

import (
	"bytes"
	"fmt"
	"io"
)

// DType is a type of elements, as NumPy names it.
type DType string

// The types that are read and written.
const (
	Bool    DType = "bool"
	Uint8   DType = "uint8"
	Int8    DType = "int8"
	Uint16  DType = "uint16"
	Int16   DType = "int16"
	Uint32  DType = "uint32"
	Int32   DType = "int32"
	Uint64  DType = "uint64"
	Int64   DType = "int64"
	Float16 DType = "float16"
	Float32 DType = "float32"
	Float64 DType = "float64"
)

// codes are the types by the codes that stand in pickles: a letter and the bytes of an element. It is never changed.
var codes = map[string]DType{
	"b1": Bool, "u1": Uint8, "i1": Int8, "u2": Uint16, "i2": Int16, "u4": Uint32, "i4": Int32, "u8": Uint64, "i8": Int64,
	"f2": Float16, "f4": Float32, "f8": Float64,
}

// code returns the code of d in pickles.
func (d DType) code() string {
	for code, of := range codes {
		if of == d {
			return code
		}
	}
	return ""
}

// Size returns the bytes of one element, 0 for a type that is not one of this package's.
func (d DType) Size() int {
	switch d {
	case Bool, Uint8, Int8:
		return 1
	case Uint16, Int16, Float16:
		return 2
	case Uint32, Int32, Float32:
		return 4
	case Uint64, Int64, Float64:
		return 8
	}
	return 0
}

// An NDArray is an array of NumPy. Its elements are in the file until they are read; reading may be done from several
// goroutines at once. Elements come in row-major order and little-endian, however they are stored.
type NDArray struct {
	DType DType
	Shape []int // empty for a single number

	bytes   int64
	fortran bool // stored column-major
	swapped bool // stored with the highest byte first
	built   bool
	data    blob
	file    string // for errors, with where in it the array was made
	where   int64
}

// Len returns the number of elements.
func (a *NDArray) Len() int { return int(a.bytes) / a.DType.Size() }

// Read reads the first len(dst) bytes of the array's elements, a whole number of elements: for some first rows, or for all.
// Data that is stored as it is wanted is copied once, from the file to dst.
func (a *NDArray) Read(dst []byte) error {
	size := a.DType.Size()
	if int64(len(dst)) > a.bytes || len(dst)%size != 0 {
		return a.error(fmt.Errorf("%d bytes wanted of an array of %d", len(dst), a.bytes))
	}
	to := dst
	if a.fortran {
		to = make([]byte, a.bytes)
	}
	if err := a.data.read(to, int64(len(to)) == a.bytes); err != nil {
		return a.error(err)
	}
	if a.swapped {
		swap(to, size)
	}
	if a.fortran {
		a.rowMajor(dst, to)
	}
	return nil
}

// Bytes returns all bytes of the array's elements.
func (a *NDArray) Bytes() ([]byte, error) {
	b := make([]byte, a.bytes)
	return b, a.Read(b)
}

// Reader returns the bytes of the array's elements for reading piece by piece: straight from the file where they are stored as
// they are wanted, else from a copy in memory.
func (a *NDArray) Reader() (*io.SectionReader, error) {
	if !a.fortran && !a.swapped && !a.data.latin {
		return io.NewSectionReader(a.data.r, a.data.off, a.bytes), nil
	}
	b, err := a.Bytes()
	return io.NewSectionReader(bytes.NewReader(b), 0, a.bytes), err
}

// Ints returns the elements of an array of integers or bools.
func (a *NDArray) Ints() ([]int64, error) {
	b, err := a.Bytes()
	if err != nil {
		return nil, err
	}
	size := a.DType.Size()
	list := make([]int64, 0, a.Len())
	for ; len(b) > 0; b = b[size:] {
		switch v := element(a.DType, b[:size]).(type) {
		case int64:
			list = append(list, v)
		case bool:
			list = append(list, int64(b[0]))
		default:
			return nil, a.error(fmt.Errorf("an array of %s where integers of 64 bits are wanted", a.DType))
		}
	}
	return list, nil
}

// error adds what is known about the array to an error; what was found in the file is so already.
func (a *NDArray) error(err error) error {
	if e, ok := err.(*Error); ok {
		e.File, e.Offset = a.file, a.where
		return e
	}
	return fmt.Errorf("pickle: %s: byte %d: %w", a.file, a.where, err)
}

// swap turns elements of size bytes round.
func swap(b []byte, size int) {
	for ; len(b) >= size; b = b[size:] {
		for i, j := 0, size-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}

// rowMajor copies the first elements of the array to dst from src, where the first index runs fastest.
func (a *NDArray) rowMajor(dst, src []byte) {
	size := a.DType.Size()
	index := make([]int, len(a.Shape))
	at := 0 // element in src
	for ; len(dst) > 0; dst = dst[size:] {
		copy(dst[:size], src[at*size:])
		step := len(src) / size // between neighbours along dimension i
		for i := len(index) - 1; i >= 0; i-- {
			step /= a.Shape[i]
			if index[i]++; index[i] < a.Shape[i] {
				at += step
				break
			}
			at -= step * (a.Shape[i] - 1)
			index[i] = 0
		}
	}
}

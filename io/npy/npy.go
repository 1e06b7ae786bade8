// Package npy reads and writes NumPy's files: .npy holds one array, .npz is a zip archive of them. What a file claims
// is checked before memory is taken for it.
//
// A .npy file is: the bytes \x93NUMPY; two bytes of version; the header's length, as a little-endian uint16 (version 1) or
// uint32 (2 and 3); the header, a Python dict of descr (type and byte order), fortran_order and shape; the data.
//
// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"

	"avcu/io/safetensors"
)

const (
	magic     = "\x93NUMPY"
	maxHeader = 1 << 16 // bytes; that of a plain array has 118
	maxDims   = 64      // NumPy's own limit
	again     = "copy or write it again"
)

// elementType is a type as a header names it, without the byte order, and as safetensors does.
type elementType struct {
	descr string
	dtype safetensors.DType
}

var types = []elementType{
	{"b1", safetensors.Bool}, {"u1", safetensors.U8}, {"i1", safetensors.I8}, {"u2", safetensors.U16}, {"i2", safetensors.I16},
	{"u4", safetensors.U32}, {"i4", safetensors.I32}, {"u8", safetensors.U64}, {"i8", safetensors.I64},
	{"f2", safetensors.F16}, {"f4", safetensors.F32}, {"f8", safetensors.F64},
}

// header is what stands before the data of an array.
type header struct {
	dtype   safetensors.DType
	order   binary.ByteOrder
	fortran bool // the first index runs fastest
	shape   []int
}

// readHeader reads a header, whose bytes it counts.
func readHeader(r io.Reader) (h header, size int64, err error) {
	head := make([]byte, 12)
	if _, err := io.ReadFull(r, head[:8]); err != nil || string(head[:6]) != magic {
		return h, 0, errors.New("not an array of NumPy's: it does not begin with \\x93NUMPY")
	}
	var length int64
	switch version := head[6]; version {
	case 1:
		_, err = io.ReadFull(r, head[8:10])
		length, size = int64(binary.LittleEndian.Uint16(head[8:])), 10
	case 2, 3:
		_, err = io.ReadFull(r, head[8:12])
		length, size = int64(binary.LittleEndian.Uint32(head[8:])), 12
	default:
		return h, 0, fmt.Errorf("version %d.%d of the format is unknown: save the array again with numpy.save", version, head[7])
	}
	if length > maxHeader {
		return h, 0, fmt.Errorf("the header would be %d bytes long, more than any array needs: the file is damaged; %s", length, again)
	}
	text := make([]byte, length)
	if err == nil {
		_, err = io.ReadFull(r, text)
	}
	if err != nil {
		return h, 0, errors.New("the file ends in the header: it was cut off; " + again)
	}
	h, err = parseHeader(string(text))
	return h, size + length, err
}

// setType takes over descr: a byte order, which is < (little), > (big) or | (none), and a type.
func (h *header) setType(descr string) error {
	h.order = binary.LittleEndian
	kind := descr
	if descr != "" && strings.IndexByte("<>|=", descr[0]) >= 0 {
		kind = descr[1:]
		if descr[0] == '>' {
			h.order = binary.BigEndian
		}
	}
	i := slices.IndexFunc(types, func(t elementType) bool { return t.descr == kind })
	if i < 0 {
		return fmt.Errorf("elements of type %.40q are not supported: save array.astype(numpy.float32) or an array of uint8", descr)
	}
	h.dtype = types[i].dtype
	return nil
}

// dataSize is the number of elements and of bytes.
func (h header) dataSize() (elements int, size int64, err error) {
	if len(h.shape) > maxDims {
		return 0, 0, fmt.Errorf("%d dimensions, at most %d are supported", len(h.shape), maxDims)
	}
	product := uint64(h.dtype.Size())
	for _, n := range h.shape {
		high, low := bits.Mul64(product, uint64(n))
		if n < 0 || high != 0 || low > 1<<62 {
			return 0, 0, fmt.Errorf("shape %v is more than any file holds: the file is damaged; %s", h.shape, again)
		}
		product = low
	}
	return int(product / uint64(h.dtype.Size())), int64(product), nil
}

// format is the header as NumPy writes it, padded so that the data begins at a multiple of 64.
func (h header) format() ([]byte, error) {
	i := slices.IndexFunc(types, func(t elementType) bool { return t.dtype == h.dtype })
	if i < 0 {
		return nil, fmt.Errorf("NumPy has no elements of type %s: convert them to F32", h.dtype)
	}
	order := "<"
	if h.dtype.Size() == 1 {
		order = "|"
	}
	shape := fmt.Sprint(h.shape) // [2 3]
	shape = strings.ReplaceAll(strings.Trim(shape, "[]"), " ", ", ")
	if len(h.shape) == 1 {
		shape += ","
	}
	text := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': False, 'shape': (%s), }", order, types[i].descr, shape)
	const before = len(magic) + 4
	text += strings.Repeat(" ", 63-(before+len(text))%64) + "\n"
	b := append([]byte(magic), 1, 0)
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(text))), text...), nil
}

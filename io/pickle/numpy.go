package pickle

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
)

// dtype is a numpy.dtype while the machine runs.
type dtype struct {
	of  DType
	big bool // the highest byte comes first
}

// newDtype is numpy.dtype(code, align, copy). The byte order comes later, with BUILD, or leads the code.
func newDtype(m *machine, args []any) (any, error) {
	if len(args) < 1 || len(args) > 3 {
		return nil, badCall("numpy.dtype")
	}
	code, ok := Text(args[0])
	if !ok {
		return nil, badCall("numpy.dtype")
	}
	d := &dtype{}
	if len(code) > 0 {
		switch code[0] {
		case '>':
			d.big = true
			fallthrough
		case '<', '=', '|':
			code = code[1:]
		}
	}
	if d.of = codes[code]; d.of == "" {
		return nil, unsupported("an array of NumPy's type %s, not of plain numbers", quote(code))
	}
	return d, m.charge(32)
}

// fill takes the state of a dtype: (version, byte order, sub-array, names, fields, size, alignment, flags, …).
func (d *dtype) fill(state []any) error {
	if len(state) < 5 {
		return badCall("the state of a numpy.dtype")
	}
	order, ok := Text(state[1])
	if !ok || state[2] != nil || state[3] != nil || state[4] != nil {
		return unsupported("an array of records, not of plain numbers")
	}
	switch order {
	case ">":
		d.big = true
	case "<", "=", "|":
		d.big = false
	default:
		return badCall("the state of a numpy.dtype")
	}
	return nil
}

// reconstruct is _reconstruct(numpy.ndarray, (0,), b'b'): an array that BUILD fills.
func reconstruct(m *machine, args []any) (any, error) {
	if len(args) != 3 {
		return nil, badCall("numpy.core.multiarray._reconstruct")
	}
	if g, ok := args[0].(*global); !ok || g.name != "numpy.ndarray" {
		return nil, unsupported("an array of a class that is not numpy.ndarray")
	}
	return &NDArray{}, m.charge(arraySize)
}

// fromBuffer is _frombuffer(buffer, dtype, shape, order) of protocol 5.
func fromBuffer(m *machine, args []any) (any, error) {
	if len(args) != 4 {
		return nil, badCall("numpy.core.numeric._frombuffer")
	}
	order, _ := Text(args[3])
	if order != "C" && order != "F" {
		return nil, badCall("numpy.core.numeric._frombuffer")
	}
	a := &NDArray{}
	if err := m.charge(arraySize); err != nil {
		return nil, err
	}
	return a, m.fillArray(a, args[2], args[1], order == "F", args[0])
}

// build gives an object its state.
func (m *machine) build(byte) error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	object, err := m.top()
	if err != nil {
		return err
	}
	t, ok := state.(*Tuple)
	if !ok {
		return unsupported("a state for %s", Describe(object))
	}
	switch v := object.(type) {
	case *dtype:
		return v.fill(t.Items)
	case *NDArray:
		s := t.Items
		if len(s) == 5 { // from version 1 on, which is written before
			s = s[1:]
		}
		if len(s) != 4 || v.built {
			return badCall("the state of a numpy.ndarray")
		}
		fortran, ok := truth(s[2])
		if !ok {
			return badCall("the state of a numpy.ndarray")
		}
		return m.fillArray(v, s[0], s[1], fortran, s[3])
	}
	return unsupported("a state for %s", Describe(object))
}

// truth is a bool, or an integer in its place.
func truth(v any) (value, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case int64:
		return v != 0, true
	}
	return false, false
}

// maxDims is the most dimensions of an array in NumPy.
const maxDims = 64

// arraySize is about what an NDArray takes, in bytes.
const arraySize = 256

func (m *machine) fillArray(a *NDArray, shape, of any, fortran bool, data any) error {
	sizes, ok := Items(shape)
	if !ok || len(sizes) > maxDims {
		return damaged("an array whose shape is %s", Describe(shape))
	}
	d, ok := of.(*dtype)
	if !ok {
		return damaged("an array whose dtype is %s", Describe(of))
	}
	if err := m.charge(8 * int64(len(sizes))); err != nil {
		return err
	}
	a.DType, a.Shape, a.swapped, a.fortran = d.of, make([]int, len(sizes)), d.big && d.of.Size() > 1, fortran && len(sizes) > 1
	total, empty := uint64(d.of.Size()), false
	for i, s := range sizes {
		n, ok := s.(int64)
		if !ok || n < 0 {
			return damaged("an array with a size that is negative or no integer")
		}
		a.Shape[i] = int(n)
		empty = empty || n == 0
		high, low := bits.Mul64(total, uint64(max(n, 1)))
		if high != 0 || low > math.MaxInt64 {
			return damaged("an array of shape %v, which is larger than any file", a.Shape[:i+1])
		}
		total = low
	}
	if empty {
		total = 0
	}
	a.bytes = int64(total)
	if a.data, ok = asBlob(data); !ok {
		return unsupported("an array of %s whose data is %s", a.DType, Describe(data))
	}
	if !a.data.fits(a.bytes) {
		return damaged("an array of %s of shape %v takes %d bytes, but %d are stored", a.DType, a.Shape, a.bytes, a.data.n)
	}
	a.built, a.file, a.where = true, m.name, m.in.at
	return nil
}

// scalar is numpy.core.multiarray.scalar(dtype, bytes): the value of one number.
func scalar(m *machine, args []any) (any, error) {
	if len(args) != 2 {
		return nil, badCall("numpy.core.multiarray.scalar")
	}
	d, ok := args[0].(*dtype)
	text, isText := Text(args[1])
	if !ok || !isText || len(text) != d.of.Size() || d.of == Float16 {
		return nil, badCall("numpy.core.multiarray.scalar")
	}
	b := []byte(text)
	if d.big {
		swap(b, len(b))
	}
	return element(d.of, b), m.charge(64)
}

// element returns the number of the type that the little-endian bytes b hold.
func element(of DType, b []byte) any {
	switch of {
	case Bool:
		return b[0] != 0
	case Uint8:
		return int64(b[0])
	case Uint16:
		return int64(binary.LittleEndian.Uint16(b))
	case Uint32:
		return int64(binary.LittleEndian.Uint32(b))
	case Uint64:
		if v := binary.LittleEndian.Uint64(b); v > math.MaxInt64 {
			return new(big.Int).SetUint64(v)
		}
	case Float32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case Float64:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return twosComplement(b)
}

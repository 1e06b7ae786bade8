package engine

import (
	"fmt"
	"unsafe"
)

// MaxRank is the largest number of dimensions of a tensor.
const MaxRank = 4

// Tensor is a row-major view of device memory. All dimensions but the last count rows; LD elements
// lie between the starts of two rows, so that rows can be padded or be columns of a wider matrix. It
// is a value: views are made without allocating.
type Tensor struct {
	mem  *Memory
	off  int64 // bytes
	typ  DType
	rank int8
	dims [MaxRank]int
	ld   int
}

// NewTensor is a view of m from byte offset off with rows ld elements apart; ld = 0 means unpadded.
// It panics if the view does not fit, which is a broken invariant of the caller.
func NewTensor(m *Memory, off int64, typ DType, ld int, dims ...int) Tensor {
	t := layout(typ, ld, dims)
	t.mem, t.off = m, off
	if off < 0 || off+t.Span()*typ.Size() > m.Bytes {
		panic(fmt.Sprintf("engine: tensor %v at byte %d leaves its %d bytes of memory", t, off, m.Bytes))
	}
	return t
}

func layout(typ DType, ld int, dims []int) Tensor {
	if len(dims) == 0 || len(dims) > MaxRank {
		panic(fmt.Sprintf("engine: a tensor has 1 to %d dimensions, not %d", MaxRank, len(dims)))
	}
	t := Tensor{typ: typ, rank: int8(len(dims)), ld: ld}
	copy(t.dims[:], dims)
	for _, n := range dims {
		if n < 0 {
			panic(fmt.Sprintf("engine: negative dimension in %v", t))
		}
	}
	if ld == 0 {
		t.ld = t.Cols()
	}
	if t.ld < t.Cols() {
		panic(fmt.Sprintf("engine: rows of %d elements only %d apart", t.Cols(), t.ld))
	}
	return t
}

// IsZero reports that t is the zero Tensor: nothing was made.
func (t Tensor) IsZero() bool { return t.rank == 0 }

// Type is the element type.
func (t Tensor) Type() DType { return t.typ }

// Rank is the number of dimensions.
func (t Tensor) Rank() int { return int(t.rank) }

// Dim is the length of dimension i.
func (t Tensor) Dim(i int) int { return t.dims[i] }

// Dims is a copy of all dimensions.
func (t Tensor) Dims() []int { return append([]int(nil), t.dims[:t.rank]...) }

// Rows is the product of all dimensions but the last; 1 for a vector.
func (t Tensor) Rows() int {
	n := 1
	for _, d := range t.dims[:t.rank-1] {
		n *= d
	}
	return n
}

// Cols is the last dimension.
func (t Tensor) Cols() int { return t.dims[t.rank-1] }

// LD is the number of elements between the starts of two rows.
func (t Tensor) LD() int { return t.ld }

// Len is the number of elements, padding not counted.
func (t Tensor) Len() int { return t.Rows() * t.Cols() }

// Span is the number of elements from the first to the last, padding between rows included.
func (t Tensor) Span() int64 {
	rows, cols := int64(t.Rows()), int64(t.Cols())
	if rows == 0 || cols == 0 {
		return 0
	}
	return (rows-1)*int64(t.ld) + cols
}

// Buffer is the memory that t covers.
func (t Tensor) Buffer() Buffer {
	return Buffer{mem: t.mem, off: t.off, bytes: t.Span() * t.typ.Size()}
}

// Prefix is the first n entries of the first dimension.
func (t Tensor) Prefix(n int) Tensor {
	if n < 0 || n > t.dims[0] {
		panic(fmt.Sprintf("engine: prefix %d of %v", n, t))
	}
	t.dims[0] = n
	if t.rank == 1 {
		t.ld = n
	}
	return t
}

// Range is the entries from … to-1 of the first dimension.
func (t Tensor) Range(from, to int) Tensor {
	if from < 0 || to < from || to > t.dims[0] {
		panic(fmt.Sprintf("engine: entries %d to %d of %v", from, to, t))
	}
	step := 1
	if t.rank > 1 {
		step = t.ld
		for _, n := range t.dims[1 : t.rank-1] {
			step *= n
		}
	}
	t.off += int64(from) * int64(step) * t.typ.Size()
	t.dims[0] = to - from
	if t.rank == 1 {
		t.ld = to - from
	}
	return t
}

// Row is row i of a matrix as a vector.
func (t Tensor) Row(i int) Tensor {
	if t.rank != 2 || i < 0 || i >= t.dims[0] {
		panic(fmt.Sprintf("engine: row %d of %v", i, t))
	}
	t.off += int64(i) * int64(t.ld) * t.typ.Size()
	t.rank, t.dims, t.ld = 1, [MaxRank]int{t.dims[1]}, t.dims[1]
	return t
}

// Columns is the matrix of columns from … to-1 of t, whose rows stay where they are.
func (t Tensor) Columns(from, to int) Tensor {
	if from < 0 || to < from || to > t.Cols() {
		panic(fmt.Sprintf("engine: columns %d to %d of %v", from, to, t))
	}
	t.off += int64(from) * t.typ.Size()
	t.dims[t.rank-1] = to - from
	if t.rank == 1 {
		t.ld = to - from
	}
	return t
}

// Reshape is the same memory with other dimensions; the last one may only change where rows are not
// padded.
func (t Tensor) Reshape(dims ...int) Tensor {
	r := layout(t.typ, 0, dims)
	if r.Len() != t.Len() || (r.Cols() != t.Cols() && t.ld != t.Cols()) {
		panic(fmt.Sprintf("engine: %v cannot be seen as %v", t, append([]int(nil), dims...)))
	}
	r.mem, r.off = t.mem, t.off
	if r.Cols() == t.Cols() {
		r.ld = t.ld
	}
	return r
}

// String is the type and shape, such as "float32[256 1024]".
func (t Tensor) String() string { return fmt.Sprintf("%v%v", t.typ, t.dims[:t.rank]) }

// SameShape reports that t and o have equal types and dimensions.
func (t Tensor) SameShape(o Tensor) bool {
	return t.typ == o.typ && t.rank == o.rank && t.dims == o.dims
}

// Check is the error of a kernel whose argument name is not of this type and shape. A negative
// dimension stands for any length.
func (t Tensor) Check(kernel, name string, typ DType, dims ...int) error {
	ok := !t.IsZero() && t.typ == typ && int(t.rank) == len(dims)
	for i := 0; ok && i < len(dims); i++ {
		ok = dims[i] < 0 || dims[i] == t.dims[i]
	}
	if ok {
		return nil
	}
	return fmt.Errorf("%s: %s is %v, want %v%v", kernel, name, t, typ, append([]int(nil), dims...))
}

// Write copies src, unpadded and row-major, into t.
func Write[T Element](d Device, t Tensor, src []T) error {
	if t.typ != typeOf[T]() || len(src) != t.Len() {
		return fmt.Errorf("engine: writing %d elements of %v into %v", len(src), typeOf[T](), t)
	}
	return t.eachRow(func(b Buffer, i, n int) error { return d.CopyIn(b, bytesOf(src[i:i+n])) })
}

// Read copies t, unpadded and row-major, into dst.
func Read[T Element](d Device, dst []T, t Tensor) error {
	if t.typ != typeOf[T]() || len(dst) != t.Len() {
		return fmt.Errorf("engine: reading %v into %d elements of %v", t, len(dst), typeOf[T]())
	}
	return t.eachRow(func(b Buffer, i, n int) error { return d.CopyOut(bytesOf(dst[i:i+n]), b) })
}

// eachRow calls f with the memory of each run of elements that lie side by side, the index of its
// first element and their number.
func (t Tensor) eachRow(f func(b Buffer, i, n int) error) error {
	rows, cols := t.Rows(), t.Cols()
	if t.ld == cols {
		rows, cols = 1, rows*cols
	}
	if rows == 0 || cols == 0 {
		return nil
	}
	size := t.typ.Size()
	for r := 0; r < rows; r++ {
		b := Buffer{mem: t.mem, off: t.off + int64(r)*int64(t.ld)*size, bytes: int64(cols) * size}
		if err := f(b, r*cols, cols); err != nil {
			return err
		}
	}
	return nil
}

func bytesOf[T Element](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

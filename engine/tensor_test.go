package engine_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"avcu/engine"
	"avcu/engine/host"
)

// memory is n bytes on a reference device.
func memory(t testing.TB, n int64) (engine.Device, *engine.Memory) {
	d := host.NewRef()
	m, err := d.Alloc(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Free(m) })
	return d, m
}

func read(t *testing.T, d engine.Device, x engine.Tensor) []int32 {
	t.Helper()
	out := make([]int32, x.Len())
	if err := engine.Read(d, out, x); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestShape(t *testing.T) {
	_, m := memory(t, 4096)
	for _, c := range []struct {
		dims                 []int
		ld                   int
		rows, cols, len, gap int
		span                 int64
		text                 string
	}{
		{[]int{5}, 0, 1, 5, 5, 5, 5, "int32[5]"},
		{[]int{0}, 0, 1, 0, 0, 0, 0, "int32[0]"},
		{[]int{3, 4}, 0, 3, 4, 12, 4, 12, "int32[3 4]"},
		{[]int{3, 4}, 6, 3, 4, 12, 6, 16, "int32[3 4]"}, // the last row is not padded
		{[]int{0, 4}, 6, 0, 4, 0, 6, 0, "int32[0 4]"},
		{[]int{3, 0}, 6, 3, 0, 0, 6, 0, "int32[3 0]"},
		{[]int{2, 3, 4}, 5, 6, 4, 24, 5, 29, "int32[2 3 4]"},
		{[]int{2, 1, 3, 4}, 0, 6, 4, 24, 4, 24, "int32[2 1 3 4]"},
	} {
		x := engine.NewTensor(m, 256, engine.Int32, c.ld, c.dims...)
		if x.Rank() != len(c.dims) || !cmp.Equal(x.Dims(), c.dims) || x.Dim(0) != c.dims[0] || x.Type() != engine.Int32 || x.IsZero() {
			t.Errorf("%v: rank %d, dimensions %v", c.dims, x.Rank(), x.Dims())
		}
		if x.Rows() != c.rows || x.Cols() != c.cols || x.Len() != c.len || x.LD() != c.gap || x.Span() != c.span || x.Buffer().Bytes() != 4*c.span {
			t.Errorf("%v, %d apart: rows %d, columns %d, length %d, apart %d, span %d, bytes %d", c.dims, c.ld,
				x.Rows(), x.Cols(), x.Len(), x.LD(), x.Span(), x.Buffer().Bytes())
		}
		if x.String() != c.text {
			t.Errorf("%v reads %q", c.dims, x)
		}
	}
	if !(engine.Tensor{}).IsZero() {
		t.Error("the zero Tensor is something")
	}
}

// numbered is a 4×6 matrix with rows 8 apart whose elements are 10·row + column, in memory that is 99
// elsewhere.
func numbered(t *testing.T) (engine.Device, *engine.Memory, engine.Tensor) {
	d, m := memory(t, 256)
	whole := engine.NewTensor(m, 0, engine.Int32, 0, 64)
	background := make([]int32, 64)
	for i := range background {
		background[i] = 99
	}
	if err := engine.Write(d, whole, background); err != nil {
		t.Fatal(err)
	}
	x := engine.NewTensor(m, 16, engine.Int32, 8, 4, 6)
	data := make([]int32, 24)
	for i := range data {
		data[i] = int32(i/6*10 + i%6)
	}
	if err := engine.Write(d, x, data); err != nil {
		t.Fatal(err)
	}
	return d, m, x
}

func TestWriteLeavesPadding(t *testing.T) {
	d, m, _ := numbered(t)
	got := read(t, d, engine.NewTensor(m, 0, engine.Int32, 0, 64))
	for i, v := range got {
		r, c := (i-4)/8, (i-4)%8
		want := int32(99)
		if i >= 4 && r < 4 && c < 6 {
			want = int32(10*r + c)
		}
		if v != want {
			t.Errorf("word %d is %d, want %d", i, v, want)
		}
	}
}

func TestViews(t *testing.T) {
	d, m, x := numbered(t)
	vector := engine.NewTensor(m, 16, engine.Int32, 0, 6) // row 0
	deep := x.Reshape(2, 2, 6)
	for _, c := range []struct {
		name string
		view engine.Tensor
		dims []int
		want []int32
	}{
		{"prefix", x.Prefix(2), []int{2, 6}, []int32{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}},
		{"prefix 0", x.Prefix(0), []int{0, 6}, []int32{}},
		{"prefix of vector", vector.Prefix(3), []int{3}, []int32{0, 1, 2}},
		{"range", x.Range(2, 3), []int{1, 6}, []int32{20, 21, 22, 23, 24, 25}},
		{"range of vector", vector.Range(2, 4), []int{2}, []int32{2, 3}},
		{"range of rank 3", deep.Range(1, 2).Columns(0, 2), []int{1, 2, 2}, []int32{20, 21, 30, 31}},
		{"row", x.Row(3), []int{6}, []int32{30, 31, 32, 33, 34, 35}},
		{"columns", x.Columns(1, 3), []int{4, 2}, []int32{1, 2, 11, 12, 21, 22, 31, 32}},
		{"columns of prefix", x.Prefix(2).Columns(5, 6), []int{2, 1}, []int32{5, 15}},
		{"no columns", x.Columns(6, 6), []int{4, 0}, []int32{}},
		{"columns of vector", vector.Columns(4, 6), []int{2}, []int32{4, 5}},
		{"prefix of rank 3", deep.Prefix(1).Columns(0, 1), []int{1, 2, 1}, []int32{0, 10}},
		{"reshape with columns kept", x.Columns(0, 2).Reshape(2, 2, 2), []int{2, 2, 2}, []int32{0, 1, 10, 11, 20, 21, 30, 31}},
		{"reshape", x.Row(1).Reshape(3, 2), []int{3, 2}, []int32{10, 11, 12, 13, 14, 15}},
		{"reshape of columns of vector", vector.Columns(2, 6).Reshape(2, 2), []int{2, 2}, []int32{2, 3, 4, 5}},
	} {
		if !cmp.Equal(c.view.Dims(), c.dims) {
			t.Errorf("%s: %v, want %v", c.name, c.view.Dims(), c.dims)
		} else if diff := cmp.Diff(c.want, read(t, d, c.view)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	// A vector has one row, so nothing is between its rows.
	for name, v := range map[string]engine.Tensor{"prefix": vector.Prefix(3), "range": vector.Range(1, 3), "columns": vector.Columns(1, 3), "row": x.Row(0)} {
		if v.LD() != v.Cols() {
			t.Errorf("%s of a vector: rows %d apart", name, v.LD())
		}
	}
	if err := engine.Write(d, x.Columns(2, 4), []int32{-1, -2, -3, -4, -5, -6, -7, -8}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int32{10, 11, -3, -4, 14, 15}, read(t, d, x.Row(1))); diff != "" {
		t.Errorf("after writing columns (-want +got):\n%s", diff)
	}
}

func TestBrokenInvariants(t *testing.T) {
	_, m := memory(t, 1024)
	x := engine.NewTensor(m, 0, engine.Float32, 8, 4, 6)
	for name, f := range map[string]func(){
		"no dimensions":        func() { engine.NewTensor(m, 0, engine.Float32, 0) },
		"five dimensions":      func() { engine.NewTensor(m, 0, engine.Float32, 0, 1, 1, 1, 1, 1) },
		"negative":             func() { engine.NewTensor(m, 0, engine.Float32, 0, 2, -1) },
		"rows overlap":         func() { engine.NewTensor(m, 0, engine.Float32, 3, 2, 4) },
		"too large":            func() { engine.NewTensor(m, 0, engine.Float32, 0, 257) },
		"too large by padding": func() { engine.NewTensor(m, 0, engine.Float32, 250, 2, 7) },
		"before memory":        func() { engine.NewTensor(m, -4, engine.Float32, 0, 1) },
		"behind memory":        func() { engine.NewTensor(m, 1024, engine.Uint8, 0, 1) },
		"prefix":               func() { x.Prefix(5) },
		"negative prefix":      func() { x.Prefix(-1) },
		"range":                func() { x.Range(1, 5) },
		"range backwards":      func() { x.Range(2, 1) },
		"row":                  func() { x.Row(4) },
		"row of rank 3":        func() { x.Reshape(2, 2, 6).Row(0) },
		"columns":              func() { x.Columns(0, 7) },
		"columns backwards":    func() { x.Columns(3, 2) },
		"reshape padded":       func() { x.Reshape(24) },
		"reshape to other":     func() { x.Reshape(2, 6) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.HasPrefix(s, "engine: ") {
					t.Errorf("panics with %q, want an explanation by engine", s)
				}
			}()
			f()
		})
	}
	// At the very end of memory there is room.
	engine.NewTensor(m, 1020, engine.Float32, 0, 1)
	engine.NewTensor(m, 0, engine.Float32, 249, 2, 7) // 249 + 7 = 256 elements
	engine.NewTensor(m, 1024, engine.Float32, 0, 0)
}

func TestCheck(t *testing.T) {
	_, m := memory(t, 1024)
	x := engine.NewTensor(m, 0, engine.Float32, 8, 4, 6)
	for _, c := range []struct {
		typ  engine.DType
		dims []int
		want string
	}{
		{engine.Float32, []int{4, 6}, ""},
		{engine.Float32, []int{-1, 6}, ""},
		{engine.Float32, []int{-1, -1}, ""},
		{engine.Uint8, []int{4, 6}, "shift: alpha is float32[4 6], want uint8[4 6]"},
		{engine.Float32, []int{4, 7}, "shift: alpha is float32[4 6], want float32[4 7]"},
		{engine.Float32, []int{-1, 5}, "shift: alpha is float32[4 6], want float32[-1 5]"},
		{engine.Float32, []int{24}, "shift: alpha is float32[4 6], want float32[24]"},
		{engine.Float32, []int{4, 6, 1}, "shift: alpha is float32[4 6], want float32[4 6 1]"},
	} {
		err := x.Check("shift", "alpha", c.typ, c.dims...)
		if got := errorText(err); got != c.want {
			t.Errorf("%v%v: %q, want %q", c.typ, c.dims, got, c.want)
		}
	}
	if err := (engine.Tensor{}).Check("shift", "alpha", engine.Float32); err == nil {
		t.Error("the zero Tensor passes")
	}
	same := engine.NewTensor(m, 512, engine.Float32, 0, 4, 6)
	if !x.SameShape(same) || x.SameShape(x.Prefix(3)) || x.SameShape(x.Reshape(2, 2, 6)) || x.SameShape(engine.NewTensor(m, 0, engine.Int32, 0, 4, 6)) {
		t.Error("SameShape is not about type and dimensions")
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestReadWriteErrors(t *testing.T) {
	d, m := memory(t, 1024)
	x := engine.NewTensor(m, 0, engine.Float32, 8, 4, 6)
	for want, err := range map[string]error{
		"engine: writing 23 elements of float32 into float32[4 6]": engine.Write(d, x, make([]float32, 23)),
		"engine: writing 24 elements of int32 into float32[4 6]":   engine.Write(d, x, make([]int32, 24)),
		"engine: reading float32[4 6] into 25 elements of float32": engine.Read(d, make([]float32, 25), x),
		"engine: reading float32[4 6] into 24 elements of uint8":   engine.Read(d, make([]uint8, 24), x),
	} {
		if errorText(err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for _, empty := range []engine.Tensor{x.Prefix(0), x.Columns(2, 2)} {
		if err := engine.Write(d, empty, []float32{}); err != nil {
			t.Error(err)
		}
	}
	q := engine.NewTensor(m, 512, engine.Uint8, 0, 3)
	bytes := make([]uint8, 3)
	if err := engine.Write(d, q, []uint8{1, 128, 255}); err != nil {
		t.Fatal(err)
	}
	if err := engine.Read(d, bytes, q); err != nil || !cmp.Equal(bytes, []uint8{1, 128, 255}) {
		t.Errorf("read back %v, %v", bytes, err)
	}
}

// TestViewsDoNotAllocate: what kernels call on every launch is free.
func TestViewsDoNotAllocate(t *testing.T) {
	_, m := memory(t, 1024)
	x := engine.NewTensor(m, 0, engine.Float32, 8, 4, 6)
	var sum int64
	if n := testing.AllocsPerRun(100, func() {
		v := x.Prefix(3).Columns(1, 4).Range(1, 3).Reshape(1, 2, 3)
		if v.Check("k", "v", engine.Float32, 1, -1, 3) != nil || !v.SameShape(v) {
			panic("a view of the wrong shape")
		}
		sum += v.Span() + v.Buffer().Bytes() + int64(x.Row(2).Len())
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDType(t *testing.T) {
	for typ, want := range map[engine.DType]struct {
		size int64
		name string
	}{engine.Float32: {4, "float32"}, engine.Uint8: {1, "uint8"}, engine.Int32: {4, "int32"}, 9: {4, "DType(9)"}} {
		if typ.Size() != want.size || typ.String() != want.name {
			t.Errorf("%v has %d bytes", typ, typ.Size())
		}
	}
}

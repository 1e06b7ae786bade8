package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// infos compares what users can see of an Info.
var infos = cmpopts.IgnoreUnexported(Info{})

// TestPythonFile reads testdata/python.safetensors, which the Python package safetensors 0.8.0 wrote with numpy.
func TestPythonFile(t *testing.T) {
	f := open(t, "testdata/python.safetensors")
	odd := `naïve "name"/<&>`
	want := map[string]Info{
		"f32": {Name: "f32", DType: F32, Shape: []int{2, 3}}, "f64": {Name: "f64", DType: F64, Shape: []int{4}},
		"f16": {Name: "f16", DType: F16, Shape: []int{8}}, "u8": {Name: "u8", DType: U8, Shape: []int{3}},
		"i32": {Name: "i32", DType: I32, Shape: []int{2, 1}}, "i64": {Name: "i64", DType: I64, Shape: []int{}},
		"bool": {Name: "bool", DType: Bool, Shape: []int{2}}, "empty": {Name: "empty", DType: F32, Shape: []int{3, 0}},
		odd: {Name: odd, DType: F32, Shape: []int{1}},
	}
	got := map[string]Info{}
	for _, info := range f.Tensors() {
		got[info.Name] = info
	}
	if diff := cmp.Diff(want, got, infos); diff != "" {
		t.Errorf("tensors: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"format": "np", "note": "line one\nline \"two\" é"}, f.Metadata()); diff != "" {
		t.Errorf("metadata: -want +got\n%s", diff)
	}
	for name, want := range map[string][]float32{
		"f32": {0, float32(math.Copysign(0, -1)), 1.5, 1e-45, float32(math.Inf(-1)), math.MaxFloat32},
		"f64": {0.1, -2.5, float32(math.Inf(1)), 0},
		// 6e-8 is 1 and 6.1e-5 is 1023 times the smallest half, 2^-24; the half nearest 0.333 is 1364·2^-12.
		"f16": {0, 1, -2, 65504, 0x1p-24, 1023 * 0x1p-24, float32(math.Inf(-1)), 1364 * 0x1p-12},
		odd:   {7}, "empty": {},
	} {
		dst := make([]float32, len(want))
		if err := f.ReadFloat32(name, dst); err != nil {
			t.Error(err)
		}
		for i := range want {
			if math.Float32bits(dst[i]) != math.Float32bits(want[i]) {
				t.Errorf("%s[%d] = %v, want %v", name, i, dst[i], want[i])
			}
		}
	}
	raw, err := f.Raw("i64")
	if err != nil {
		t.Fatal(err)
	}
	var i64 int64
	if err := binary.Read(raw, binary.LittleEndian, &i64); err != nil || i64 != math.MinInt64 {
		t.Errorf("i64 = %d, %v", i64, err)
	}
}

func TestReadRefuses(t *testing.T) {
	f := open(t, "testdata/python.safetensors")
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"absent", f.ReadFloat32("fc9", nil), `no tensor "fc9"`},
		{"integers", f.ReadFloat32("u8", make([]float32, 3)), `tensor "u8": U8 where float32 weights are wanted`},
		{"short", f.ReadFloat32("f32", make([]float32, 5)), `tensor "f32": shape [2 3] has 6 elements, 5 wanted`},
		{"long", f.ReadFloat32("f32", make([]float32, 7)), "6 elements, 7 wanted"},
		{"past the end", f.ReadFloat32At("f32", 4, make([]float32, 3)), "elements 4 to 7 wanted, it has 6"},
		{"far past the end", f.ReadFloat32At("f32", math.MaxInt, make([]float32, 3)), "it has 6"},
		{"before the beginning", f.ReadFloat32At("f32", -1, make([]float32, 3)), "it has 6"},
	} {
		if c.err == nil || !strings.HasPrefix(c.err.Error(), "safetensors: testdata/python.safetensors: ") || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, c.err, c.want)
		}
	}
}

// TestLargeFile reads the end of a tensor of 5 GiB (a file with a hole) in hardly any memory.
func TestLargeFile(t *testing.T) {
	const n = 5 << 28
	header := fmt.Sprintf(`{"a":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}`, n, 4*n)
	path := writeFile(t, "large.safetensors", image(header, 0))
	end := int64(8+len(header)) + 4*n
	if err := os.Truncate(path, end); err != nil {
		t.Skipf("this file system has no room for a file of 5 GiB: %v", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte{0, 0, 0x80, 0x3f}, end-4); err != nil { // 1.0
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f := open(t, path)
	dst := make([]float32, 3)
	if err := f.ReadFloat32At("a", n-3, dst); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if diff := cmp.Diff([]float32{0, 0, 1}, dst); diff != "" {
		t.Error(diff)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("reading three elements allocated %d bytes", got)
	}
}

func TestIs(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		want bool
	}{
		"safetensors":               {image(`{}`, 0), true},
		"length begins like pickle": {append([]byte{0x80, 2, 0, 0, 0, 0, 0, 0, '{'}, make([]byte, 640)...), true},
		"damaged safetensors":       {[]byte("\xff\xff\xff\xff\xff\xff\xff\xff{"), true},
		"pickle":                    {[]byte("\x80\x02}q\x00(X\x05\x00\x00\x00"), false},
		"combined file":             {make([]byte, 100), false},
		"short":                     {[]byte("12345678"), false},
		"empty":                     {nil, false},
	} {
		got, err := Is(writeFile(t, "x", c.data))
		if got != c.want || err != nil {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
	if got, err := Is(t.TempDir()); got || err != nil {
		t.Errorf("a folder: %v, %v", got, err)
	}
	if _, err := Is(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there: no error")
	}
}

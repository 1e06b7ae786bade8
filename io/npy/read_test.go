package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"avcu/io/safetensors"
)

// steps are (i − 5)/4 for i < 24, which every type of floats holds exactly.
func steps() []float32 {
	x := make([]float32, 24)
	for i := range x {
		x[i] = float32(i-5) / 4
	}
	return x
}

func counting() []uint8 {
	b := make([]uint8, 24)
	for i := range b {
		b[i] = uint8(i)
	}
	return b
}

// TestReadNumPy reads what NumPy 2.4 wrote.
func TestReadNumPy(t *testing.T) {
	cube := []int{2, 3, 4}
	u8, f16, f32, f64 := safetensors.U8, safetensors.F16, safetensors.F32, safetensors.F64
	want := []Array{
		{"little_f2", f16, cube, nil, steps()}, {"big_f2", f16, cube, nil, steps()}, {"little_f4", f32, cube, nil, steps()},
		{"big_f4", f32, cube, nil, steps()}, {"little_f8", f64, cube, nil, steps()}, {"big_f8", f64, cube, nil, steps()},
		{"bytes", u8, cube, counting(), nil}, {"bytes_fortran", u8, cube, counting(), nil}, {"floats_fortran", f32, cube, nil, steps()},
		{"matrix_fortran", f16, []int{4, 6}, nil, steps()}, {"number", f32, nil, nil, []float32{1.5}},
		{"empty", f32, []int{0, 7}, nil, []float32{}}, {"row", f32, []int{1}, nil, []float32{1.5}},
	}
	got, err := Read("testdata/numpy.npz")
	if err != nil {
		t.Fatal(err)
	}
	special := got[len(got)-1]
	if diff := cmp.Diff(want, got[:len(got)-1]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	small := float32(math.Ldexp(1, -24))
	values := []float32{0, float32(math.Copysign(0, -1)), small, 1023 * small, 1024 * small, 1, -2, 65504, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	for i, v := range values {
		if is := special.Floats[i]; math.Float32bits(is) != math.Float32bits(v) && v == v || v != v && is == is {
			t.Errorf("float16 number %d is %v, want %v", i, is, v)
		}
	}
	for version := 1; version <= 3; version++ {
		got, err := Read(fmt.Sprintf("testdata/version%d.npy", version))
		if diff := cmp.Diff([]Array{{"", f32, cube, nil, steps()}}, got); err != nil || diff != "" {
			t.Errorf("version %d: %v (-want +got)\n%s", version, err, diff)
		}
	}
}

func TestReadNames(t *testing.T) {
	for _, c := range []struct {
		path  string
		names []string
		want  []string
		err   string
	}{
		{"testdata/numpy.npz", []string{"row", "bytes"}, []string{"row", "bytes"}, ""},
		{"testdata/numpy.npz", []string{"row", "rgb"}, nil, `no array "rgb"; there are: little_f2, big_f2,`},
		{"testdata/version1.npy", []string{"rgb"}, []string{"rgb"}, ""},
		{"testdata/version1.npy", []string{"rgb", "audio"}, nil, "one array, and rgb, audio are wanted: save them with numpy.savez"},
		{"testdata/stored.npz", []string{"bytes"}, []string{"bytes"}, ""},
		{"testdata/stored.npz", nil, nil, `array "ints": elements of type I64 are no features`},
		{"testdata/records.npy", nil, nil, "an array of records is not supported"},
		{"testdata/objects.npy", nil, nil, `elements of type "|O" are not supported`},
		{"testdata", nil, nil, "not a regular file"},
		{"testdata/none.npy", nil, nil, "no such file"},
	} {
		arrays, err := Read(c.path, c.names...)
		var names []string
		for _, a := range arrays {
			names = append(names, a.Name)
		}
		if diff := cmp.Diff(c.want, names); diff != "" {
			t.Errorf("%s %v: (-want +got)\n%s", c.path, c.names, diff)
		}
		if (err == nil) != (c.err == "") || err != nil && (!strings.HasPrefix(err.Error(), "npy: "+c.path+": ") || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s %v: error %v, want %q", c.path, c.names, err, c.err)
		}
	}
}

// array is a file of version 1 with this header.
func array(header string, data ...byte) []byte {
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	return append(append(b, header...), data...)
}

func dict(descr, order, shape string) string {
	return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }"
}

// archive is a zip archive of one member, made by change from what it should be.
func archive(t *testing.T, data []byte, change func(*zip.FileHeader)) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "rgb.npy", Method: zip.Store, UncompressedSize64: uint64(len(data)), CompressedSize64: uint64(len(data))}
	change(h)
	member, err := w.CreateRaw(h)
	if err == nil {
		_, err = member.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readBytes(t *testing.T, data []byte) ([]Array, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return Read(path)
}

func TestReadAccepts(t *testing.T) {
	want := []Array{{"", safetensors.U8, []int{2}, []uint8{7, 8}, nil}}
	for _, header := range []string{
		dict("'|u1'", "False", "(2,)"), dict("'u1'", "True", "(2,)"), dict("'>u1'", "False", "(2L,)"), dict("\"|u1\"", "False", "(2)"),
		"{'shape':(2,),'descr':'|u1','fortran_order':False}", " { 'shape' : ( 2 , ) , 'descr' : '|u1' , 'fortran_order' : False } \n",
	} {
		got, err := readBytes(t, array(header, 7, 8))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", header, err, diff)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := array(dict("'<f4'", "False", "(2,)"), 0, 0, 0, 0, 0, 0, 0, 0)
	large := append([]byte("\x93NUMPY\x02\x00"), 0xff, 0xff, 0xff, 0xff)
	none := func(*zip.FileHeader) {}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "not an array of NumPy's"},
		{"text", []byte("1 2 3\n4 5 6\n"), "not an array of NumPy's"},
		{"version", []byte("\x93NUMPY\x04\x00\x00\x00\x00\x00"), "version 4.0 of the format is unknown"},
		{"cut in the length", good[:9], "the file ends in the header"},
		{"cut in the header", good[:40], "the file ends in the header: it was cut off; copy or write it again"},
		{"huge header", large, "the header would be 4294967295 bytes long"},
		{"cut data", good[:len(good)-1], "shape [2] of F32 takes 8 bytes and 7 are there: it was cut off; copy or write it again"},
		{"more data", append(bytes.Clone(good), 0), "1 bytes follow the array"},
		{"huge shape", array(dict("'<f4'", "False", "(4294967296, 4294967296)")), "is more than any file holds"},
		{"huge number", array(dict("'<f4'", "False", "(99999999999999999999,)")), "stands where a whole number of at most 2^63-1 should come"},
		{"large claim", array(dict("'<f4'", "False", "(1099511627776,)"), 0), "takes 4398046511104 bytes and 1 are there"},
		{"many dimensions", array(dict("'<f4'", "False", "("+strings.Repeat("1,", 65)+")")), "65 dimensions"},
		{"negative", array(dict("'<f4'", "False", "(-1,)")), `"-1,), }" stands where a whole number`},
		{"integers", array(dict("'<i8'", "False", "(1,)"), make([]byte, 8)...), "elements of type I64 are no features"},
		{"complex", array(dict("'<c8'", "False", "(1,)"), make([]byte, 8)...), `elements of type "<c8" are not supported: save array.astype(numpy.float32)`},
		{"no type", array(dict("''", "False", "(1,)"), 0), `elements of type "" are not supported`},
		{"order", array(dict("'|u1'", "0", "(1,)"), 0), `stands where True or False should come`},
		{"twice", array("{'shape': (), 'shape': ()}"), `"shape" comes twice`},
		{"missing", array("{'shape': ()}"), "it must hold descr, fortran_order and shape"},
		{"other key", array("{'shapes': ()}"), `"shapes" is no key of a header`},
		{"no dict", array("[]"), `"[]" stands where { should come`},
		{"open dict", array("{'shape': ("), `stands where a whole number`},
		{"open text", array("{'shape"), `stands where a plain quoted text should come`},
		{"escape", array(`{'sha\x70e': ()}`), `stands where a plain quoted text should come`},
		{"no comma", array("{'shape': (1 2)"), `"2)" stands where a comma or ) should come`},
		{"something behind", array(dict("'|u1'", "False", "()")+"x", 0), `"x" stands where the end should come`},
		{"zip cut off", archive(t, good, none)[:100], "a damaged archive, perhaps cut off (zip: not a valid zip file): copy or write it again"},
		{"zip with a wrong checksum", archive(t, good, func(h *zip.FileHeader) { h.CRC32 = 1 }), "it is damaged (zip: checksum error); copy or write it again"},
		{"zip that claims more", archive(t, good, func(h *zip.FileHeader) { h.UncompressedSize64 += 4 }), "4 bytes follow the array"},
		{"zip that claims less", archive(t, good, func(h *zip.FileHeader) { h.UncompressedSize64 -= 4 }), "takes 8 bytes and 4 are there"},
		{"zip that claims much", archive(t, array(dict("'<f4'", "False", "(1099511627776,)")), func(h *zip.FileHeader) {
			h.UncompressedSize64 += 4 << 40
		}), "its data breaks off after 0 bytes of 4398046511104"},
		{"zip of another kind", archive(t, good, func(h *zip.FileHeader) { h.Method = 12 }), "unsupported compression algorithm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := readBytes(t, c.data)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, error %v, want %q", got, err, c.want)
			}
			if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20 {
				t.Errorf("%d bytes of memory were taken", taken)
			}
		})
	}
}

// TestReadTwice: a name that comes twice in an archive is an error.
func TestReadTwice(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for range 2 {
		member, err := w.Create("a.npy")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := member.Write(array(dict("'|u1'", "False", "(1,)"), 0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := readBytes(t, b.Bytes()); err == nil || !strings.Contains(err.Error(), `array "a" comes twice`) {
		t.Errorf("error %v", err)
	}
}

// TestLarge: more than one chunk, with an end that fills none.
func TestLarge(t *testing.T) {
	const n = chunkBytes + 12345
	data := make([]byte, 0, 4*n)
	for i := range n {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(i)))
	}
	file := array(dict("'<f4'", "False", fmt.Sprintf("(%d,)", n)), data...)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	member, err := w.Create("a.npy")
	if err == nil {
		_, err = io.Copy(member, bytes.NewReader(file))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range [][]byte{file, b.Bytes()} {
		got, err := readBytes(t, form)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got[0].Floats {
			if v != float32(i) || len(got[0].Floats) != n {
				t.Fatalf("element %d of %d is %v", i, len(got[0].Floats), v)
			}
		}
	}
}

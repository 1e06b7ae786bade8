package paddle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// member is a file of an archive.
type member struct {
	name, data string
	kind       byte
}

func tarOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Size: int64(len(m.data)), Mode: 0o644, Typeflag: m.kind}
		if m.kind == tar.TypeSymlink {
			h.Linkname, h.Size = "/etc/passwd", 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(m.data)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func save(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "given")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// lod is a LoDTensor file with float32 zeros.
func lod(t testing.TB, shape ...int) string {
	t.Helper()
	info := Info{"", Float32, shape}
	b, err := appendHeader(nil, info)
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + strings.Repeat("\x00", 4*info.Len())
}

func TestArchives(t *testing.T) {
	tensors := sample()
	folder := filepath.Join(t.TempDir(), "weights")
	file := filepath.Join(t.TempDir(), "file")
	if err := WriteFolder(folder, tensors); err != nil {
		t.Fatal(err)
	}
	one := []member{{"weights/", "", tar.TypeDir}, {"weights/._fc1.bias", "junk", tar.TypeReg}, {"weights/__model__", "\x0a\x01x", tar.TypeReg}}
	for _, tensor := range tensors {
		one = append(one, member{"weights/" + tensor.Name, content(t, filepath.Join(folder, tensor.Name)), tar.TypeReg})
	}
	if err := WriteCombined(file, tensors); err != nil {
		t.Fatal(err)
	}
	combined := member{"./params", content(t, file), tar.TypeReg}
	if err := WritePickle(file, tensors[:4]); err != nil {
		t.Fatal(err)
	}
	first := member{"a.pdparams", content(t, file), tar.TypeReg}
	if err := WritePickle(file, tensors[4:]); err != nil {
		t.Fatal(err)
	}
	second := member{"a.pdopt", content(t, file), tar.TypeReg}
	for name, archive := range map[string][]byte{
		"folder":   tarOf(t, one...),
		"combined": tarOf(t, combined),
		"pickles":  tarOf(t, first, second),
	} {
		same(t, open(t, save(t, archive), namesOf(tensors)...), tensors)
		same(t, open(t, save(t, zipped(t, archive)), namesOf(tensors)...), tensors)
		for _, n := range []int{len(archive) / 3, len(archive) / 2} {
			if _, err := Open(save(t, archive[:n])); err == nil {
				t.Errorf("%s cut to %d bytes of %d: no error", name, n, len(archive))
			}
			packed := zipped(t, archive)
			if _, err := Open(save(t, packed[:len(packed)*n/len(archive)])); err == nil || !strings.Contains(err.Error(), "damaged or cut off") {
				t.Errorf("%s cut in gzip: %v", name, err)
			}
		}
	}
	same(t, open(t, save(t, zipped(t, []byte(first.data)))), tensors[:4]) // gzip of no archive

	// Gzip's checksum is verified although the archive ends before it.
	packed := zipped(t, tarOf(t, one...))
	packed[len(packed)-8] ^= 1
	if _, err := Open(save(t, packed)); err == nil || !strings.Contains(err.Error(), "damaged or cut off") {
		t.Errorf("another checksum: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	fine := lod(t, 2)
	reg := func(name, data string) member { return member{name, data, tar.TypeReg} }
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"safetensors", []byte("\x10\x00\x00\x00\x00\x00\x00\x00{\"a\":1}"), "byte 0: not Paddle's weights: begins with 10 00 00 00"},
		{"program", []byte("\x0a\x03abc"), "byte 0: a program or another file"},
		{"short", []byte{0, 0}, "the version is cut, the file ends at byte 2"},
		{"pickle of no arrays", []byte("\x80\x02}U\x01aK\x01s."), "holds no tensors"},
		{"path out", tarOf(t, reg("../fc1.bias", fine)), `member "../fc1.bias" of the archive leads out of it`},
		{"absolute path", tarOf(t, reg("/etc/fc1.bias", fine)), "leads out of it"},
		{"link", tarOf(t, member{"fc1.bias", "", tar.TypeSymlink}), `member "fc1.bias" of the archive is a link`},
		{"same name", tarOf(t, reg("a/w", fine), reg("b/w", fine)), `tensor "w" is there twice`},
		{"unknown member", tarOf(t, reg("w", fine), reg("README", "hello")), "README: byte 0: not Paddle's weights"},
		{"archive inside", tarOf(t, reg("w", string(zipped(t, []byte(fine))))), "w: an archive inside"},
		{"two tensors in a named file", tarOf(t, reg("v", fine), reg("w", fine+fine)), "w: byte 32: a second tensor"},
		{"empty archive", zipped(t, tarOf(t)), "the description is not a TensorDesc"},
		{"bomb", zipped(t, []byte(lod(t, mostUnpacked/2))), "unpacks to more than weights ever do"},
		{"gzip of garbage", []byte("\x1f\x8b\x08garbage"), "damaged or cut off"},
		{"unsafe in an archive", tarOf(t, reg("a/b.pdparams", "\x80\x02cos\nsystem\n.")), "b.pdparams: byte 2: refused: it calls for os.system"},
		{"one part for two", []byte("\x80\x02}(U\x05w@@.0cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x01\x85cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R\x89U\x01atb" +
			"U\x15UnpackBigParamInfor@@}(U\x01v}(U\x0bOriginShapeK\x01\x85U\x06slices]U\x05w@@.0auU\x01w}(U\x0bOriginShapeK\x01\x85U\x06slices]U\x05w@@.0auuu."), `tensor "w", which is stored in parts: part "w@@.0" is missing, or belongs to another too`},
		{"half a part", []byte("\x80\x02}U\x15UnpackBigParamInfor@@}U\x01w}(U\x0bOriginShapeK\x01\x85U\x06slices]U\x05w@@.0auss."), `tensor "w", which is stored in parts: part "w@@.0" is missing`},
	} {
		path := save(t, c.data)
		w, err := Open(path)
		if err == nil {
			w.Close()
			t.Errorf("%s: no error", c.name)
			continue
		}
		if !strings.HasPrefix(err.Error(), "paddle: ") || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %q, want %q", c.name, err, c.want)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a path that is not there: %v", err)
	}
	folder := t.TempDir()
	if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), "no tensors") {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.Mkdir(filepath.Join(folder, "epoch0"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), "only the folders epoch0: give one") {
		t.Errorf("a folder of folders: %v", err)
	}
}

// TestTypeNumbers holds the numbers of framework.proto.
func TestTypeNumbers(t *testing.T) {
	for number, want := range map[byte]DType{0: "bool", 1: "int16", 2: "int32", 3: "int64", 4: "float16", 5: "float32", 6: "float64", 20: "uint8", 21: "int8", 22: "bfloat16"} {
		if got, shape, err := parseDescription([]byte{0x08, number, 0x12, 2, 3, 4}); err != nil || got != want || fmt.Sprint(shape) != "[3 4]" { // dims in packed form
			t.Errorf("%d is %s %v, %v", number, got, shape, err)
		}
	}
}

// TestCombined names the tensors of files without names.
func TestCombined(t *testing.T) {
	shapes := func(list ...string) string {
		data := ""
		for _, s := range list {
			var shape []int
			for _, c := range s {
				shape = append(shape, int(c-'0'))
			}
			data += lod(t, shape...)
		}
		return data
	}
	model := []string{"b", "a"}
	pow := []string{"1", "1"}
	state := append(append([]string{"24"}, pow...), "24", "24", "3")
	state = append(append(state, pow...), "3", "3")
	for _, c := range []struct{ data, names, wrong string }{
		{shapes("24", "3"), "a b", ""},
		{shapes(append(state, "1")...), "a a_beta1_pow_acc_0 a_beta2_pow_acc_0 a_moment1_0 a_moment2_0 b b_beta1_pow_acc_0 b_beta2_pow_acc_0 b_moment1_0 b_moment2_0 learning_rate_0", ""},
		{shapes(append(state, "")...), "a a_beta1_pow_acc_0 a_beta2_pow_acc_0 a_moment1_0 a_moment2_0 b b_beta1_pow_acc_0 b_beta2_pow_acc_0 b_moment1_0 b_moment2_0 learning_rate_0", ""},
		{shapes(state...), "a a_beta1_pow_acc_0 a_beta2_pow_acc_0 a_moment1_0 a_moment2_0 b b_beta1_pow_acc_0 b_beta2_pow_acc_0 b_moment1_0 b_moment2_0", ""},
		{shapes("24", "4"), "a b", ""}, // another number of classes
		{shapes(append(slices.Repeat([]string{"3"}, 10), "1")...), "", "tensor 1 at byte 36 is float32 of shape [3], where a_beta1_pow_acc_0 of shape [1] is expected"},
		{shapes("24"), "", "it holds 1 tensors without names, the model has 2, or 11 with"},
		{shapes("24", "3", "3"), "", "the first that is too many begins at byte 94"},
	} {
		w, err := Open(save(t, []byte(c.data)), model...)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("error %v, want %q", err, c.wrong)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		var names []string
		for _, info := range w.Tensors() {
			names = append(names, info.Name)
		}
		if got := strings.Join(names, " "); got != c.names {
			t.Errorf("names %s, want %s", got, c.names)
		}
		w.Close()
	}
	// A schedule of the learning rate leaves a counter instead, which sorts before all.
	counter, err := appendHeader(nil, Info{"", Int64, []int{1}})
	if err != nil {
		t.Fatal(err)
	}
	w := open(t, save(t, append(append(counter, make([]byte, 8)...), shapes(state...)...)), model...)
	if _, ok := w.Tensor(decayCounter); !ok {
		t.Error("no counter")
	}
	// Without a model they are counted.
	w = open(t, save(t, []byte(shapes("24", "4"))))
	if _, ok := w.Tensor("#1"); !ok || !w.Nameless() {
		t.Errorf("no tensor #1, nameless: %v", w.Nameless())
	}
	if w = open(t, save(t, []byte(shapes("24", "4"))), model...); w.Nameless() {
		t.Error("nameless with names")
	}
}

func TestReadFloat32(t *testing.T) {
	half := []byte{0, 0x3c, 0, 0xc0, 1, 0, 0, 0x7c}              // 1, -2, 2^-24, Inf
	brain := []byte{0x80, 0x3f, 0, 0xc0, 0x80, 0x33, 0x80, 0x7f} // the same
	var double []byte
	for _, bits := range []uint64{0x3ff0000000000000, 0xc000000000000000, 0x3e70000000000000, 0x7ff0000000000000} {
		double = binary.LittleEndian.AppendUint64(double, bits)
	}
	path := filepath.Join(t.TempDir(), "weights")
	if err := WriteFolder(path, []Tensor{{"half", Float16, []int{2, 2}, raw(half)}, {"brain", BFloat16, []int{4}, raw(brain)},
		{"double", Float64, []int{4}, raw(double)}, {"int", Int64, []int{1}, raw(make([]byte, 8))}}); err != nil {
		t.Fatal(err)
	}
	w := open(t, path)
	want := "[1 -2 5.9604645e-08 +Inf]"
	for _, name := range []string{"half", "brain", "double"} {
		var got [4]float32
		if err := w.ReadFloat32(name, got[:]); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if err := w.ReadFloat32At(name, 1, got[:2]); err != nil || got[0] != -2 {
			t.Errorf("%s from 1 on: %v, %v", name, got, err)
		}
		if err := w.ReadFloat32At(name, 3, got[:2]); err == nil || !strings.Contains(err.Error(), "elements 3 to 5 wanted, it has 4") {
			t.Errorf("%s: error %v", name, err)
		}
		if err := w.ReadFloat32(name, got[:3]); err == nil || !strings.Contains(err.Error(), "has 4 elements, 3 wanted") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if err := w.ReadFloat32("int", make([]float32, 1)); err == nil || !strings.Contains(err.Error(), `"int": int64 where float32`) {
		t.Errorf("error %v", err)
	}
	if err := w.ReadFloat32("none", nil); err == nil || !strings.Contains(err.Error(), `no tensor "none"`) {
		t.Errorf("error %v", err)
	}
}

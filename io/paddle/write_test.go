package paddle

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"avcu/io/replace"
	"avcu/io/replace/faulty"
)

func raw(b []byte) func(io.Writer) error {
	return func(w io.Writer) error { _, err := w.Write(b); return err }
}

// sample are tensors of every type that NumPy has too, and of awkward shapes and names.
func sample() []Tensor {
	list := []Tensor{
		FromFloat32("fc1.weights", []int{2, 3}, []float32{1, -2, 0.1, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.NaN())}),
		FromFloat32("fc1.bias", []int{3}, []float32{1, 2, 3}),
		FromFloat32("learning_rate_0", nil, []float32{0.001}),
		FromFloat32("none", []int{0, 4}, nil),
		FromFloat32("Z", []int{1}, []float32{1}),
	}
	for i, d := range []DType{Bool, Uint8, Int8, Int16, Int32, Int64, Float16, Float64} {
		b := make([]byte, 3*d.Size())
		for j := range b {
			b[j] = byte(53*(i+j)) & 1
		}
		list = append(list, Tensor{string(d), d, []int{3, 1}, func(w io.Writer) error {
			for i := range b { // byte by byte
				if _, err := w.Write(b[i : i+1]); err != nil {
					return err
				}
			}
			return nil
		}})
	}
	return list
}

// same compares what was read with what was written.
func same(t *testing.T, w *Weights, want []Tensor) {
	t.Helper()
	if len(w.Tensors()) != len(want) {
		t.Errorf("%d tensors, want %d", len(w.Tensors()), len(want))
	}
	for _, tensor := range want {
		info, ok := w.Tensor(tensor.Name)
		if !ok || info.DType != tensor.DType || !slices.Equal(info.Shape, tensor.Shape) {
			t.Errorf("%s is %+v, want %s of %v", tensor.Name, info, tensor.DType, tensor.Shape)
			continue
		}
		var b bytes.Buffer
		if err := tensor.Data(&b); err != nil {
			t.Fatal(err)
		}
		got, err := w.Bytes(tensor.Name)
		if err != nil || !bytes.Equal(got, b.Bytes()) {
			t.Errorf("%s: % x, want % x, %v", tensor.Name, got, b.Bytes(), err)
		}
	}
}

// namesOf are the names of tensors, for files without.
func namesOf(tensors []Tensor) (list []string) {
	for _, t := range tensors {
		list = append(list, t.Name)
	}
	return list
}

func open(t *testing.T, path string, names ...string) *Weights {
	t.Helper()
	w, err := Open(path, names...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func TestRoundTrip(t *testing.T) {
	tensors := sample()
	for name, write := range map[string]func(string, []Tensor) error{
		"folder": WriteFolder, "combined": WriteCombined, "pickle": WritePickle,
		"split": func(path string, tensors []Tensor) error {
			return replace.With(path, replace.Buffered(func(w io.Writer) error { return writePickle(w, tensors, 8) }))
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "weights")
			for range 2 { // the second takes the place of the first
				if err := write(path, tensors); err != nil {
					t.Fatal(err)
				}
				if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
					t.Errorf("%v are there, %v", entries, err)
				}
				same(t, open(t, path, namesOf(tensors)...), tensors)
			}
		})
	}
}

// TestExactBytes writes what Paddle wrote, byte by byte.
func TestExactBytes(t *testing.T) {
	w := open(t, "testdata/paddle262/params_float64")
	var tensors []Tensor
	for _, info := range w.Tensors() {
		tensors = append(tensors, Tensor{info.Name, info.DType, info.Shape, func(to io.Writer) error {
			r, err := w.Raw(info.Name)
			if err == nil {
				_, err = io.Copy(to, r)
			}
			return err
		}})
	}
	folder := filepath.Join(t.TempDir(), "params")
	if err := WriteFolder(folder, tensors); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, tensor := range tensors {
		got, err := os.ReadFile(filepath.Join(folder, tensor.Name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("testdata/paddle262/params_float64", tensor.Name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: other bytes, %v", tensor.Name, err)
		}
		all = append(all, want...)
	}
	combined := filepath.Join(t.TempDir(), "combined")
	slices.Reverse(tensors)
	if err := WriteCombined(combined, tensors); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(combined); err != nil || !bytes.Equal(got, all) {
		t.Errorf("combined: other bytes, %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	one := func(name string, dtype DType, shape []int, data []byte) []Tensor {
		return []Tensor{{name, dtype, shape, raw(data)}}
	}
	writers := map[string]func(string, []Tensor) error{"folder": WriteFolder, "combined": WriteCombined, "pickle": WritePickle}
	for _, c := range []struct {
		name    string
		tensors []Tensor
		only    string
		want    string
	}{
		{"twice", append(one("a", Float32, nil, make([]byte, 4)), one("a", Float32, nil, make([]byte, 4))...), "", `"a": the name comes twice`},
		{"type", one("a", "complex64", nil, nil), "", `data type "complex64" is not known`},
		{"negative", one("a", Float32, []int{-1}, nil), "", "negative"},
		{"short", one("a", Float32, []int{2}, make([]byte, 4)), "", `tensor "a": its data has 4 bytes, shape [2] of float32 takes 8`},
		{"long", one("a", Float32, []int{2}, make([]byte, 9)), "", "has 9 bytes"},
		{"data fails", []Tensor{{"a", Float32, nil, func(io.Writer) error { return io.ErrNoProgress }}}, "", `tensor "a": ` + io.ErrNoProgress.Error()},
		{"bfloat16", one("a", BFloat16, nil, make([]byte, 2)), "pickle", "NumPy has no bfloat16"},
		{"uint32", one("a", Uint32, nil, make([]byte, 4)), "combined", "uint32 is no type of Paddle's tensors"},
		{"path", one("../a", Float32, nil, make([]byte, 4)), "folder", "cannot be that of a file"},
		{"no name", one("", Float32, nil, make([]byte, 4)), "folder", "cannot be that of a file"},
		{"hidden", one(".a", Float32, nil, make([]byte, 4)), "folder", "cannot be that of a file"},
	} {
		for form, write := range writers {
			if c.only != "" && c.only != form {
				continue
			}
			folder := t.TempDir()
			path := filepath.Join(folder, "weights")
			if err := write(path, c.tensors); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "paddle: "+path+": ") {
				t.Errorf("%s, %s: error %v, want %q", c.name, form, err, c.want)
			}
			if entries, err := os.ReadDir(folder); err != nil || len(entries) != 0 {
				t.Errorf("%s, %s: %v left, %v", c.name, form, entries, err)
			}
		}
	}
}

// TestFolderInTheWay: a folder that holds anything but weights is not touched.
func TestFolderInTheWay(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"a file": func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"notes inside": func(path string) error {
			return errors.Join(os.Mkdir(path, 0o700), os.WriteFile(path+"/notes", []byte("abc"), 0o600))
		},
		"folder inside": func(path string) error { return os.MkdirAll(path+"/inside", 0o700) },
		"a link":        func(path string) error { return os.Symlink(".", path) },
		"both": func(path string) error {
			return errors.Join(WriteFolder(path, sample()), os.WriteFile(path+"/config.txt", []byte("[MODEL]\n"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "weights")
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadDir(path)
			if err := WriteFolder(path, sample()); err == nil || !strings.Contains(err.Error(), "give the path of a new folder") {
				t.Errorf("error %v", err)
			}
			after, _ := os.ReadDir(path)
			if beside, _ := os.ReadDir(folder); len(before) != len(after) || len(beside) != 1 {
				t.Errorf("%v became %v, beside %v", before, after, beside)
			}
		})
	}
	empty := t.TempDir()
	if err := WriteFolder(empty+"/", sample()); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	same(t, open(t, empty), sample())
}

// TestFaults fills the disk after every possible number of bytes, and fails at the end: each time the earlier file stays as
// it was and nothing is left beside it.
func TestFaults(t *testing.T) {
	faults := []faulty.File{{Room: 1 << 20, SyncFails: true}, {Room: 1 << 20, CloseFails: true}}
	for room := range 300 {
		faults = append(faults, faulty.File{Room: room})
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "a.pdparams")
	if err := os.WriteFile(path, []byte("earlier"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		err := replace.WithFile(path, f.Create, replace.Buffered(func(w io.Writer) error { return writePickle(w, sample(), 1<<30-1) }))
		if !errors.Is(err, faulty.ErrDisk) && !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("error %v", err)
		}
		entries, _ := os.ReadDir(folder)
		if text, err := os.ReadFile(path); len(entries) != 1 || string(text) != "earlier" {
			t.Fatalf("%v, now holding %q, %v", entries, text, err)
		}
	}
	// A folder that cannot be filled leaves the one before it.
	weights := filepath.Join(folder, "weights")
	if err := WriteFolder(weights, sample()); err != nil {
		t.Fatal(err)
	}
	if err := WriteFolder(weights, []Tensor{{"a", Float32, nil, func(io.Writer) error { return faulty.ErrDisk }}}); !errors.Is(err, faulty.ErrDisk) {
		t.Errorf("error %v", err)
	}
	same(t, open(t, weights), sample())
	if entries, _ := os.ReadDir(folder); len(entries) != 2 {
		t.Errorf("%v left", entries)
	}
}

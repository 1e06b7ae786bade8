package paddle

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sbinet/npyio/npz"

	"avcu/io/pickle"
)

// testdata holds files written by Paddle 1.8.5 and 2.6.2, and damaged copies; manifest.json says what is in each.
type goldenCase struct {
	Name      string   `json:"name"`
	Path      string   `json:"path"`
	Kind      string   `json:"kind"`
	Variables []string `json:"variables"`
	Expected  string   `json:"expected"`
	Wrong     string   `json:"wrong"`
	Byte      *int64   `json:"byte_offset"`
}

func golden(t *testing.T) []goldenCase {
	t.Helper()
	text, err := os.ReadFile("testdata/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Cases []goldenCase `json:"cases"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(manifest.Cases, func(c goldenCase) bool { return c.Path == "" })
}

// array is an array of a .npz file.
type array struct {
	Info
	data []byte
}

// arrays reads a .npz file.
func arrays(t *testing.T, file string) map[string]array {
	t.Helper()
	r, err := npz.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	types := map[string]DType{"<f4": Float32, "<f8": Float64, "<i4": Int32, "<i8": Int64, "|i1": Int8}
	all := map[string]array{}
	for _, key := range r.Keys() {
		name := strings.TrimSuffix(key, ".npy")
		h := r.Header(key)
		a := array{Info: Info{name, types[h.Descr.Type], h.Descr.Shape}}
		size := a.DType.Size()
		f, err := r.Open(key)
		if err != nil || size == 0 || h.Descr.Fortran {
			t.Fatalf("%s: %s: %+v %v", file, key, h, err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		a.data = b[len(b)-size*a.Len():]
		all[name] = a
	}
	return all
}

// published are the parameters of the model in the golden files.
func published(all map[string]array) (names []string) {
	for name := range all {
		if _, kind := Split(name); kind == Parameter {
			names = append(names, name)
		}
	}
	return names
}

func float32s(t *testing.T, w *Weights, name string) []byte {
	t.Helper()
	info, _ := w.Tensor(name)
	values := make([]float32, info.Len())
	if err := w.ReadFloat32(name, values); err != nil {
		t.Fatal(err)
	}
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// taken is how many steps Adam had taken when the files were written; 0 for files without its state.
func taken(file string) int64 {
	switch {
	case strings.HasSuffix(file, "dygraph.pdopt"):
		return 1
	case strings.HasSuffix(file, ".pdopt"), strings.Contains(file, "persistables"), strings.HasSuffix(file, "vars"):
		return 3
	}
	return 0
}

func TestGolden(t *testing.T) {
	for _, c := range golden(t) {
		if c.Wrong != "" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			all := arrays(t, strings.TrimPrefix(c.Expected, "paddle_files/"))
			w, err := Open(filepath.Join("testdata", c.Name), published(all)...)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			names := c.Variables
			if names == nil {
				names = sortedKeys(all)
			}
			slices.Sort(names)
			var got []string
			for _, info := range w.Tensors() {
				got = append(got, info.Name)
				want := all[info.Name]
				if slices.Equal(info.Shape, want.Shape) == false && info.Len() != 1 {
					t.Errorf("%s: shape %v, want %v", info.Name, info.Shape, want.Shape)
				}
				b, err := w.Bytes(info.Name)
				if err != nil {
					t.Fatal(err)
				}
				if info.DType != want.DType {
					if c.Name != "fluid185/as_float64.pdparams" || info.DType != Float64 {
						t.Errorf("%s: %s, want %s", info.Name, info.DType, want.DType)
					}
					b = float32s(t, w, info.Name)
				}
				if !bytes.Equal(b, want.data) {
					t.Errorf("%s: other values", info.Name)
				}
				if info.DType == Float32 && !bytes.Equal(float32s(t, w, info.Name), want.data) {
					t.Errorf("%s: other values as float32", info.Name)
				}
			}
			if diff := cmp.Diff(names, got); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if steps, ok, err := w.Steps(0.9, 0.999); err != nil {
				t.Error(err)
			} else if want := taken(c.Name); ok != (want > 0) || steps != want {
				t.Errorf("%d steps, %v, want %d", steps, ok, want)
			}
		})
	}
}

func TestGoldenDamage(t *testing.T) {
	want := map[string]string{
		"bad/lod_truncated":             "byte 20: float32 of shape [16 20] takes 1280 bytes from byte 26 on, but the file ends at byte 870",
		"bad/lod_header_only":           "byte 4: the number of LoD levels is cut, the file ends at byte 10",
		"bad/lod_empty":                 "byte 0: the file is empty",
		"bad/lod_version":               "byte 0: not Paddle's weights: begins with 01 00 00 00",
		"bad/tensor_version":            "byte 12: version 7 of a tensor",
		"bad/lod_trailing":              "what follows 1 whole tensors at byte 1306 is none: byte 1310",
		"bad/desc_negative":             "byte 16: a description of -1 bytes",
		"bad/dims_overflow":             "byte 20: shape [8589934592 8589934592] of float32 overflows",
		"bad/dims_negative":             "byte 20: shape [-1 4] has a negative size",
		"bad/dims_too_big":              "byte 20: float32 of shape",
		"bad/dtype_unknown":             "byte 20: data type 99 is not known",
		"bad/lod_levels_huge":           "byte 4: 1099511627776 LoD levels",
		"bad/combined_truncated":        "but the file ends at byte 5473",
		"bad/combined_trailing":         "it holds 15 tensors without names, the model has 14, or 71 with Adam's state; the first that is too many begins at byte 10946",
		"bad/pickle_truncated.pdparams": "byte 1630: truncated: 11514 more bytes are wanted here, but the file ends at byte 8538",
		"bad/pickle_empty.pdparams":     "byte 0: the file is empty",
		"bad/pickle_list.pdparams":      "the pickle holds a list of 3 where a dict",
		"bad/pickle_unsafe.pdparams":    "byte 20: refused: it calls for posix.getcwd",
		"bad/pickle_unsafe2.pdparams":   "refused: it calls for builtins.eval",
	}
	model := published(arrays(t, "fluid185/expected.npz"))
	for _, c := range golden(t) {
		if c.Wrong == "" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			path := filepath.Join("testdata", c.Name)
			w, err := Open(path, model...)
			if part, damaged := want[c.Name]; !damaged {
				// What is wrong with these is only known to who knows the model.
				if err != nil {
					t.Fatal(err)
				}
				w.Close()
			} else if err == nil {
				t.Fatal("no error")
			} else if text := err.Error(); !strings.HasPrefix(text, "paddle: ") || strings.Count(text, path) != 1 || !strings.Contains(text, part) {
				t.Errorf("error %q, want the path once and %q", text, part)
			}
		})
	}
	for _, c := range []struct {
		file, tensor string
		wrong        func(w *Weights) bool
	}{
		{"bad/missing_name.pdparams", "fc2.bias", func(w *Weights) bool { _, ok := w.Tensor("fc2.bias"); return !ok && len(w.Tensors()) == 13 }},
		{"bad/wrong_shape.pdparams", "fc1.weights", func(w *Weights) bool {
			info, _ := w.Tensor("fc1.weights")
			return slices.Equal(info.Shape, []int{16, 120})
		}},
		{"bad/nan.pdparams", "fc2.bias", func(w *Weights) bool {
			b := float32s(t, w, "fc2.bias")
			return math.IsNaN(float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4:]))))
		}},
	} {
		w, err := Open(filepath.Join("testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		if !c.wrong(w) {
			t.Errorf("%s: what is wrong with %s does not show", c.file, c.tensor)
		}
		w.Close()
	}
	if _, err := Open("testdata/bad/pickle_unsafe.pdparams"); !errors.Is(err, pickle.ErrRefused) {
		t.Errorf("error %v", err)
	}
}

// TestNamesInside renames the optimiser's state of a model that was saved with state_dict.
func TestNamesInside(t *testing.T) {
	for _, file := range []string{"state_p2.pdparams", "state_p4.pdparams", "nested.pdparams"} {
		model, err := Open("testdata/paddle262/" + file)
		if err != nil {
			t.Fatal(err)
		}
		defer model.Close()
		if got := model.ParameterNames()["fc1.weights"]; got != "node_5.w_0" || len(model.ParameterNames()) != 14 {
			t.Errorf("%s: %v", file, model.ParameterNames())
		}
		state, err := Open("testdata/paddle262/dygraph.pdopt")
		if err != nil {
			t.Fatal(err)
		}
		defer state.Close()
		before := float32s(t, state, "node_5.w_0_moment2_0")
		if err := state.Rename(model.ParameterNames()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, float32s(t, state, "fc1.weights_moment2_0")) {
			t.Error("another tensor under the name")
		}
		for _, info := range model.Tensors() {
			for kind := Moment1; kind <= Beta2Pow; kind++ {
				if _, ok := state.Tensor(Join(info.Name, kind)); !ok {
					t.Errorf("no %s", Join(info.Name, kind))
				}
			}
		}
	}
	// Both in one folder are put together.
	folder := t.TempDir()
	for _, file := range []string{"state_p2.pdparams", "dygraph.pdopt"} {
		b, err := os.ReadFile("testdata/paddle262/" + file)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, file), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, ".hidden"), []byte("no weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, ok := w.Tensor("satt0.shift_w_moment1_0"); !ok || len(w.Tensors()) != 14+56 {
		t.Errorf("%d tensors", len(w.Tensors()))
	}
}

package kerneltest

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/sbinet/npyio"
	"github.com/sbinet/npyio/npz"
)

// Array is one array of a golden file. Numbers of every type are held as float64, which is exact for
// float32, uint8 and the small integers there.
type Array struct {
	Shape []int
	Data  []float64
}

// Float32 is the values rounded to float32; those of inputs are float32 already.
func (a Array) Float32() []float32 { return convert[float32](a.Data) }

// Uint8 is the values as bytes.
func (a Array) Uint8() []uint8 { return convert[uint8](a.Data) }

// Int32 is the values as int32.
func (a Array) Int32() []int32 { return convert[int32](a.Data) }

// Clone is a copy of the values.
func (a Array) Clone() []float64 { return append([]float64(nil), a.Data...) }

func convert[T float32 | uint8 | int32](in []float64) []T {
	out := make([]T, len(in))
	for i, v := range in {
		out[i] = T(v)
	}
	return out
}

// Golden reads every .npz file of the test's folder testdata that matches pattern, and calls f with
// the name of each case and its arrays. No match fails the test.
func Golden(t *testing.T, pattern string, f func(t *testing.T, name string, arrays map[string]Array)) {
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden file testdata/%s (%v)", pattern, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".npz")
		t.Run(name, func(t *testing.T) { f(t, name, LoadNPZ(t, file)) })
	}
}

// LoadNPZ reads all arrays of a .npz file.
func LoadNPZ(t testing.TB, file string) map[string]Array {
	t.Helper()
	r, err := npz.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	arrays := map[string]Array{}
	for _, key := range r.Keys() {
		a, err := readArray(r, key)
		if err != nil {
			t.Fatalf("%s: %s: %v", file, key, err)
		}
		arrays[strings.TrimSuffix(key, ".npy")] = a
	}
	return arrays
}

func readArray(r *npz.Reader, key string) (Array, error) {
	h := r.Header(key)
	if h == nil || h.Descr.Fortran {
		return Array{}, fmt.Errorf("no C-ordered array")
	}
	typ := npyio.TypeFrom(h.Descr.Type)
	if typ == nil {
		return Array{}, fmt.Errorf("unknown type %q", h.Descr.Type)
	}
	n := 1
	for _, d := range h.Descr.Shape {
		n *= d
	}
	a := Array{Shape: h.Descr.Shape, Data: make([]float64, n)}
	ptr := reflect.New(reflect.SliceOf(typ))
	if err := r.Read(key, ptr.Interface()); err != nil {
		return Array{}, err
	}
	for i := range n {
		a.Data[i] = ptr.Elem().Index(i).Convert(reflect.TypeFor[float64]()).Float()
	}
	return a, nil
}

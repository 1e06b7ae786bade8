package npy

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sbinet/npyio/npz"

	"avcu/io/safetensors"
)

func raw(name string, dtype safetensors.DType, shape []int, data ...byte) safetensors.Tensor {
	return safetensors.Tensor{Name: name, DType: dtype, Shape: shape, Data: func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}}
}

// TestWrite: we read what we wrote, so does another reader, and the bytes depend on nothing else.
func TestWrite(t *testing.T) {
	tensors := []safetensors.Tensor{
		safetensors.Float32("fc1.weights", []int{4, 6}, steps()),
		safetensors.Float32("fc1.bias", []int{24}, steps()),
		safetensors.Float32("step", []int{}, []float32{1.5}),
		safetensors.Float32("none", []int{3, 0}, nil),
		raw("bytes", safetensors.U8, []int{2, 1, 1}, 7, 8),
		raw("half", safetensors.F16, []int{1}, 0x00, 0x3e),
	}
	path := filepath.Join(t.TempDir(), "a.npz")
	var files [2][]byte
	for i := range files {
		if err := Write(path, tensors); err != nil { // the second time over the first
			t.Fatal(err)
		}
		var err error
		if files[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the same tensors gave other bytes")
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	f32 := safetensors.F32
	want := []Array{
		{"fc1.weights", f32, []int{4, 6}, nil, steps()}, {"fc1.bias", f32, []int{24}, nil, steps()}, {"step", f32, nil, nil, []float32{1.5}},
		{"none", f32, []int{3, 0}, nil, []float32{}}, {"bytes", safetensors.U8, []int{2, 1, 1}, []uint8{7, 8}, nil}, {"half", safetensors.F16, []int{1}, nil, []float32{1.5}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	other, err := npz.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var values []float32
	if err := other.Read("fc1.weights.npy", &values); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(steps(), values); diff != "" {
		t.Errorf("another reader (-want +got)\n%s", diff)
	}
}

// TestFormat fixes the header, which is NumPy's own to the byte.
func TestFormat(t *testing.T) {
	numpy, err := os.ReadFile("testdata/version1.npy")
	if err != nil {
		t.Fatal(err)
	}
	got, err := header{dtype: safetensors.F32, shape: []int{2, 3, 4}}.format()
	if err != nil || !bytes.HasPrefix(numpy, got) || len(got) != 128 {
		t.Errorf("%q, %v, want the beginning of %q", got, err, numpy)
	}
	for shape := range 12 { // every length of padding near the end of a line
		got, err := header{dtype: safetensors.U8, shape: make([]int, shape)}.format()
		if err != nil || len(got)%64 != 0 || got[len(got)-1] != '\n' {
			t.Errorf("%d dimensions: %q, %v", shape, got, err)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	good := raw("a", safetensors.U8, []int{1}, 0)
	failing := good
	failing.Name = "b"
	failing.Data = func(io.Writer) error { return errors.New("gone") }
	for _, c := range []struct {
		tensors []safetensors.Tensor
		want    string
	}{
		{[]safetensors.Tensor{good, good}, `tensor "a": the name is empty, comes twice`},
		{[]safetensors.Tensor{raw("", safetensors.U8, nil, 0)}, `tensor "": the name is empty`},
		{[]safetensors.Tensor{raw("\xff", safetensors.U8, nil, 0)}, "is not UTF-8"},
		{[]safetensors.Tensor{raw(`..\a`, safetensors.U8, nil, 0)}, "has a backslash"},
		{[]safetensors.Tensor{raw("a", safetensors.BF16, nil, 0, 0)}, `tensor "a": NumPy has no elements of type BF16`},
		{[]safetensors.Tensor{raw("a", safetensors.U8, []int{2}, 0)}, "its data has 1 bytes, and shape [2] of U8 takes 2"},
		{[]safetensors.Tensor{raw("a", safetensors.U8, []int{-1}, 0)}, "shape [-1] is more than"},
		{[]safetensors.Tensor{good, failing}, `tensor "b": gone`},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a.npz")
		if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Write(path, c.tensors); err == nil || !strings.HasPrefix(err.Error(), "npy: "+path+": ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
		entries, err := os.ReadDir(dir)
		old, _ := os.ReadFile(path)
		if err != nil || len(entries) != 1 || string(old) != "old" {
			t.Errorf("%v, the folder holds %v, the old file %q", err, entries, old)
		}
	}
	if err := Write(filepath.Join(t.TempDir(), "none", "a.npz"), nil); err == nil {
		t.Error("a folder that is not there")
	}
}

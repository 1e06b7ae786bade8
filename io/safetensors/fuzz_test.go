package safetensors

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzOpen opens any bytes. Where that succeeds, all tensors can be read, and what is written from them is the same again.
func FuzzOpen(f *testing.F) {
	python, err := os.ReadFile("testdata/python.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(python)
	f.Add(image(`{}`, 0))
	f.Add(image(`{"__metadata__":{"a":"b"},"w":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]}}`, 4))
	f.Add(image(`{"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]},"a":{"x":[{}],"dtype":"F16","shape":[],"data_offsets":[0,2]}}`, 4))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "a")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		first, err := Open(path)
		if err != nil {
			return
		}
		defer first.Close()
		if is, err := Is(path); !is || err != nil {
			t.Errorf("Is says %v, %v of a file that opens", is, err)
		}
		again := filepath.Join(t.TempDir(), "b")
		if err := Write(again, copies(t, first), first.Metadata()); err != nil {
			t.Fatal(err)
		}
		second, err := Open(again)
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		if diff := cmp.Diff(first.Metadata(), second.Metadata()); diff != "" {
			t.Errorf("metadata: %s", diff)
		}
		if len(first.Tensors()) != len(second.Tensors()) {
			t.Fatalf("%d tensors became %d", len(first.Tensors()), len(second.Tensors()))
		}
		for _, info := range first.Tensors() {
			copied, _ := second.Tensor(info.Name)
			if diff := cmp.Diff(info, copied, infos); diff != "" || !bytes.Equal(rawBytes(t, first, info.Name), rawBytes(t, second, info.Name)) {
				t.Errorf("tensor %q differs: %s", info.Name, diff)
			}
			if _, isFloat := toFloat32[info.DType]; isFloat {
				if err := first.ReadFloat32(info.Name, make([]float32, info.Len())); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

func rawBytes(t *testing.T, f *File, name string) []byte {
	t.Helper()
	raw, err := f.Raw(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(raw)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func copies(t *testing.T, f *File) []Tensor {
	t.Helper()
	var tensors []Tensor
	for _, info := range f.Tensors() {
		tensors = append(tensors, Tensor{info.Name, info.DType, info.Shape, written(rawBytes(t, f, info.Name))})
	}
	return tensors
}

package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ramp is n values that differ.
func ramp(n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i) + 0.5
	}
	return values
}

// written returns a Data that writes b.
func written(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

func TestRoundTrip(t *testing.T) {
	values := map[string][]float32{
		"one": {7}, "scalar": {-1}, "none": {}, "special": {float32(math.NaN()), float32(math.Inf(-1)), float32(math.Copysign(0, -1)), 1e-45},
		"just a chunk": ramp(chunkBytes / 4), "chunks": ramp(chunkBytes/4*2 + 3), `odd "\<&>é` + "\u2028\x01": {1, 2},
	}
	shapes := map[string][]int{"one": {1}, "scalar": {}, "none": {4, 0}, "special": {2, 2}, "just a chunk": {chunkBytes / 4}, "chunks": {chunkBytes/4*2 + 3}, `odd "\<&>é` + "\u2028\x01": {2, 1}}
	order := []string{"one", "scalar", "none", "special", "just a chunk", "chunks", `odd "\<&>é` + "\u2028\x01"}
	metadata := map[string]string{"step": "12", "config": "MODEL:\n  name: \"x\" # <é>\n", "": ""}
	var tensors []Tensor
	for _, name := range order {
		tensors = append(tensors, Float32(name, shapes[name], values[name]))
	}
	path := filepath.Join(t.TempDir(), "a.safetensors")
	if err := Write(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	f := open(t, path)
	if diff := cmp.Diff(metadata, f.Metadata()); diff != "" {
		t.Errorf("metadata: -want +got\n%s", diff)
	}
	if f.data%8 != 0 {
		t.Errorf("the data begins at byte %d, not a multiple of 8", f.data)
	}
	var names []string
	for _, info := range f.Tensors() {
		names = append(names, info.Name)
		dst := make([]float32, len(values[info.Name]))
		if err := f.ReadFloat32(info.Name, dst); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(shapes[info.Name], info.Shape); diff != "" {
			t.Errorf("shape of %s: -want +got\n%s", info.Name, diff)
		}
		for i, want := range values[info.Name] {
			if math.Float32bits(dst[i]) != math.Float32bits(want) {
				t.Errorf("%s[%d] = %v, want %v", info.Name, i, dst[i], want)
			}
		}
	}
	if diff := cmp.Diff(order, names); diff != "" {
		t.Errorf("order: -want +got\n%s", diff)
	}
}

// TestBytes fixes the bytes of a small file, metadata by key and wider elements first.
func TestBytes(t *testing.T) {
	header := `{"__metadata__":{"a":"<","b":"2"},"z":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},` +
		`"y":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"a":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},"x":{"dtype":"U8","shape":[3],"data_offsets":[16,19]}}`
	for len(header)%8 != 0 {
		header += " "
	}
	want := image(header, 0)
	want = binary.LittleEndian.AppendUint64(want, 0x0102030405060708)
	want = binary.LittleEndian.AppendUint32(want, math.Float32bits(1.5))
	want = binary.LittleEndian.AppendUint32(want, math.Float32bits(-2))
	want = append(want, 7, 8, 9)

	path := filepath.Join(t.TempDir(), "a.safetensors")
	tensors := []Tensor{
		{"x", U8, []int{3}, written([]byte{7, 8, 9})},
		Float32("y", nil, []float32{1.5}),
		{"z", I64, []int{1}, written([]byte{8, 7, 6, 5, 4, 3, 2, 1})},
		Float32("a", []int{1}, []float32{-2}),
	}
	for range 5 {
		if err := Write(path, tensors, map[string]string{"b": "2", "a": "<"}); err != nil {
			t.Fatal(err)
		}
		if tensors[0].Name != "x" {
			t.Fatal("Write has sorted the caller's tensors")
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("wrote\n%q, want\n%q", got, want)
		}
	}
}

// TestRows writes a matrix whose rows are padded, in pieces of whole rows.
func TestRows(t *testing.T) {
	for _, c := range []struct {
		shape []int
		calls int
	}{
		{[]int{}, 1}, {[]int{5}, 1}, {[]int{3, 5}, 1}, {[]int{2, 3, 7}, 1}, {[]int{0, 5}, 0}, {[]int{5, 0}, 0},
		{[]int{1000, 1031}, 4},                // 254 rows at a time
		{[]int{2, chunkBytes/4 + 1}, 2},       // a row is longer than a chunk
		{[]int{chunkBytes / 4 / 8 * 2, 8}, 2}, // exactly two chunks
	} {
		t.Run(fmt.Sprint(c.shape), func(t *testing.T) {
			rows, width := 1, 1
			for i, n := range c.shape {
				if i == 0 {
					rows = n
				} else {
					width *= n
				}
			}
			stride := width + 3
			padded := make([]float32, rows*stride)
			var want []float32
			for r := range rows {
				for i := range width {
					padded[r*stride+i] = float32(r*width+i) + 0.25
				}
				want = append(want, padded[r*stride:r*stride+width]...)
			}
			calls := 0
			fetch := func(row int, dst []float32) error {
				calls++
				if max(width, chunkBytes/4) < len(dst) {
					t.Errorf("a piece of %d values", len(dst))
				}
				for r := 0; r < len(dst)/width; r++ {
					copy(dst[r*width:(r+1)*width], padded[(row+r)*stride:])
				}
				return nil
			}
			path := filepath.Join(t.TempDir(), "a.safetensors")
			if err := Write(path, []Tensor{Float32Rows("w", c.shape, fetch)}, nil); err != nil {
				t.Fatal(err)
			}
			got := make([]float32, len(want))
			if err := open(t, path).ReadFloat32("w", got); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(want, got) || calls != c.calls {
				t.Errorf("values differ, or %d calls instead of %d", calls, c.calls)
			}
		})
	}
}

func TestWriteRefuses(t *testing.T) {
	ok := Float32("w", []int{2}, []float32{1, 2})
	broken := errors.New("device lost")
	for _, c := range []struct {
		name     string
		tensors  []Tensor
		metadata map[string]string
		want     string
	}{
		{"name twice", []Tensor{ok, ok}, nil, `tensor "w": the name comes twice`},
		{"reserved name", []Tensor{Float32("__metadata__", nil, []float32{1})}, nil, "reserved"},
		{"name not UTF-8", []Tensor{Float32("\xff", nil, []float32{1})}, nil, "not UTF-8"},
		{"metadata not UTF-8", []Tensor{ok}, map[string]string{"k": "\xff"}, `metadata "k" is not UTF-8`},
		{"unknown dtype", []Tensor{{"w", "F8", nil, nil}}, nil, `tensor "w": dtype "F8" is not supported`},
		{"negative size", []Tensor{Float32("w", []int{-1}, nil)}, nil, "negative"},
		{"overflow", []Tensor{Float32("w", []int{math.MaxInt, 2}, nil)}, nil, "overflows"},
		{"overflow into the sign", []Tensor{{"w", U16, []int{1 << 62}, nil}}, nil, "overflows"},
		{"overflow of the sum", []Tensor{{"a", U8, []int{1 << 62}, nil}, {"b", U8, []int{1 << 62}, nil}}, nil, `tensor "b": the file would be longer`},
		{"data too short", []Tensor{Float32("w", []int{2, 2}, []float32{1, 2, 3})}, nil, `tensor "w": its data ended 4 bytes short of shape [2 2] of F32`},
		{"data too long", []Tensor{Float32("w", []int{2}, []float32{1, 2, 3})}, nil, `tensor "w": more data than its shape holds`},
		{"data fails", []Tensor{ok, Float32Rows("v", []int{2, 2}, func(int, []float32) error { return broken })}, nil, `tensor "v": rows 0 to 1: device lost`},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "a.safetensors")
			err := Write(path, c.tensors, c.metadata)
			if err == nil || !strings.HasPrefix(err.Error(), "safetensors: "+path+": ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want the path and %q", err, c.want)
			}
			wantFiles(t, folder, map[string]string{})
		})
	}
	if err := Write(filepath.Join(t.TempDir(), "none", "a"), []Tensor{ok}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// wantFiles wants exactly these files with these contents in folder.
func wantFiles(t *testing.T, folder string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files in the folder: -want +got\n%s", diff)
	}
}

package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"avcu/io/allocation"

	"github.com/google/go-cmp/cmp"
)

// FuzzOpen opens any bytes and reads all tensors, at a cost in memory that is bounded by their number. Where that succeeds,
// names and metadata are those that Go's decoder finds, and what is written from the tensors is the same again. A split that
// is not 0 says where the header ends, whatever the file says.
func FuzzOpen(f *testing.F) {
	python, err := os.ReadFile("testdata/python.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(python, uint16(0))
	for _, header := range []string{
		`{}`,
		`{"__metadata__":{"a":"b","\n\u00e9\ud83d\ude00\ud800\"\\\/":"\u0000"},"w":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]}}`,
		`{"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]},"a":{"x":[{"]":null}, -1.5e-3, ""],"dtype":"F16","shape":[],"data_offsets":[0,2]}}  `,
		`{"a":{"dtype":"F64","shape":[0,18446744073709551615],"data_offsets":[0,0]}}`,
	} {
		f.Add(image(header, 4), uint16(0))
		f.Add(image(header, 4), uint16(8+len(header)))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte, split uint16) {
		if split >= 8 && int(split) <= len(data) {
			data = append(binary.LittleEndian.AppendUint64(nil, uint64(split)-8), data[8:]...)
		}
		first := openWithin(t, filepath.Join(dir, "a"), data)
		if first == nil {
			return
		}
		if is, err := Is(first.path); !is || err != nil {
			t.Errorf("Is says %v, %v of a file that opens", is, err)
		}
		checkNames(t, first, data[8:first.data])
		tensors := copies(t, first)
		head, err := formatHeader(tensors, first.Metadata())
		var again bytes.Buffer
		if err == nil {
			err = writeAll(&again, head, tensors)
		}
		if err != nil {
			t.Fatal(err)
		}
		second := openWithin(t, filepath.Join(dir, "b"), again.Bytes())
		if second == nil {
			t.Fatal("what was written does not open")
		}
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
		}
	})
}

// openWithin opens a file of these bytes and reads all of its tensors, within the memory that this may take. Nil: it is none.
func openWithin(t *testing.T, path string, data []byte) *File {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var f *File
	var err error
	if used := allocation.Of(func() {
		if f, err = Open(path); err != nil {
			return
		}
		for _, info := range f.Tensors() {
			if _, isFloat := toFloat32[info.DType]; !isFloat {
				continue
			}
			if err := f.ReadFloat32(info.Name, make([]float32, info.Len())); err != nil {
				t.Error(err)
			}
		}
	}); used > allocation.Limit(len(data)) {
		t.Errorf("%d bytes allocated for %d", used, len(data))
	}
	if err != nil {
		return nil
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// checkNames compares what a file's header says with what Go's decoder reads there.
func checkNames(t *testing.T, f *File, header []byte) {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(header, &all); err != nil {
		t.Fatal(err)
	}
	metadata := map[string]string{}
	if text, ok := all[metadataKey]; ok {
		if err := json.Unmarshal(text, &metadata); err != nil {
			t.Fatal(err)
		}
		delete(all, metadataKey)
	}
	if diff := cmp.Diff(metadata, f.Metadata()); diff != "" {
		t.Errorf("metadata: -json +got %s", diff)
	}
	for _, info := range f.Tensors() {
		if _, ok := all[info.Name]; !ok {
			t.Errorf("tensor %q is not in the header", info.Name)
		}
	}
	if len(all) != len(f.Tensors()) {
		t.Errorf("%d tensors, the header has %d", len(f.Tensors()), len(all))
	}
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

// TestMemory opens files whose headers say as much as can be said in few bytes.
func TestMemory(t *testing.T) {
	const n = 7<<14 + 1 // one more than fits into a map without growing
	object := func(n int, member string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"%x":`, i)
			b.WriteString(member)
		}
		return "{" + b.String()[1:] + "}"
	}
	tensor := func(inside string) string { return `{` + inside + `"dtype":"U8","shape":[0],"data_offsets":[0,0]}` }
	for name, header := range map[string]string{
		"tensors":      object(n, tensor("")),
		"metadata":     `{"__metadata__":` + object(n, `""`) + `}`,
		"escapes":      `{"__metadata__":{"a":"` + strings.Repeat(`\n`, n) + `"}}`,
		"unknown keys": `{"a":` + object(n, `1`) + `}`,
		"skipped":      `{"a":` + tensor(`"x":[0`+strings.Repeat(",0", n)+`],`) + `}`,
		"nested":       `{"a":` + tensor(`"x":`+strings.Repeat("[", 9000)+strings.Repeat("]", 9000)+`,`) + `}`,
		"sizes":        `{"a":` + tensor(`"shape":[0`+strings.Repeat(",0", n)+`],`) + `}`,
		"shapes":       object(n/16, `{"dtype":"U8","data_offsets":[0,0],"shape":[0`+strings.Repeat(",0", maxDims-1)+"]}"),
		"a long name":  `{"` + strings.Repeat("\u0080", n) + `":{}}`,
		"a long size":  `{"a":{"shape":[` + strings.Repeat("1", n) + `]}}`,
		"a long type":  `{"a":{"dtype":"` + strings.Repeat("\u0080", n) + `","shape":[],"data_offsets":[0,0]}}`,
		"a long key":   `{"__metadata__":{"` + strings.Repeat("\u0080", n) + `":1}}`,
	} {
		t.Run(name, func(t *testing.T) { openWithin(t, filepath.Join(t.TempDir(), "a"), image(header, 0)) })
	}
}

// TestStrings compares strings with what Go's decoder reads.
func TestStrings(t *testing.T) {
	for _, text := range []string{`""`, `"a"`, `"\"\\\/\b\f\n\r\t"`, `"\u00e9\u20AC"`, `"x\ud83d\ude00y"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\ud83d\ud83d\ude00"`, `"\ud83d\u0041"`, `"\ud83d\n"`, `"é\\u0041"`} {
		var want string
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if got := unescape((&jsonText{text: text}).quoted()); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

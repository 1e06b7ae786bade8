package pickle

import (
	"os"
	"path/filepath"
	"testing"

	"avcu/io/allocation"
)

// FuzzDecode decodes any bytes, at a cost in memory that is bounded by their number, and reads what arrays come out of it.
func FuzzDecode(f *testing.F) {
	for _, pattern := range []string{"*.pkl", "bad/*.pkl", "*_py*"} {
		files, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 4<<10 {
				f.Add(data)
			}
		}
	}
	f.Add([]byte(arrayOf("f4", ">", "K\x01K\x01\x86", "\x88", "U\x04\x00\x00\x80\x3f")))
	f.Add([]byte("(cbuiltins\neval\nU\x04data}U\x04dataK\x07s\x86Rccollections\nOrderedDict\n](](K\x01K\x02ee\x85R\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00l."))
	f.Add([]byte("(S'a\\x00\\'\\n\\101'\nVa\\u00e9\\ud83d\\ude00\xe9\nI01\nL-12L\nF1e3\nd."))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		var err error
		if used := allocation.Of(func() { v, err = decode(data) }); used > allocation.Limit(len(data)) {
			t.Errorf("%d bytes allocated for %d", used, len(data))
		}
		if err == nil {
			read(t, v, len(data), map[any]bool{})
		}
	})
}

// read reads all arrays of v, of which none can have more bytes than the file, once.
func read(t *testing.T, v any, size int, seen map[any]bool) {
	switch v.(type) {
	case *List, *Tuple, *Dict, *NDArray:
		if seen[v] {
			return
		}
		seen[v] = true
	}
	switch v := v.(type) {
	case *Dict:
		for _, e := range v.Entries {
			read(t, e.Value, size, seen)
		}
	case *NDArray:
		b, err := v.Bytes()
		if err == nil && len(b) != v.Len()*v.DType.Size() || v.Len()*v.DType.Size() > size {
			t.Errorf("%s: %d bytes from a file of %d", Describe(v), len(b), size)
		}
	default:
		items, _ := Items(v)
		for _, item := range items {
			read(t, item, size, seen)
		}
	}
}

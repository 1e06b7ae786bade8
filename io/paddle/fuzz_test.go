package paddle

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// FuzzOpen opens any bytes, at a cost in memory that is bounded by their number. Where that succeeds, what is written from the
// tensors is the same again.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"fluid185/types/with_lod", "fluid185/types/f64", "fluid185/types/one", "paddle262/vars/learning_rate_0", "bad/dtype_unknown", "bad/pickle_unsafe2.pdparams"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(append(data, data...))
	}
	for _, limit := range []int{1 << 30, 8} {
		var b bytes.Buffer
		if err := writePickle(&b, sample()[:3], limit); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
			return // the limit for these is of what they unpack to
		}
		var w *Weights
		var err error
		if used := allocated(func() { w, err = inMemoryWeights(data, nil) }); used > limit(len(data)) {
			t.Errorf("%d bytes allocated for %d", used, len(data))
		}
		if err != nil {
			return
		}
		var tensors []Tensor
		var again bytes.Buffer
		for _, info := range w.Tensors() {
			b, err := w.Bytes(info.Name)
			if err != nil || info.DType == Uint16 || info.DType == Uint32 || info.DType == Uint64 { // not Paddle's
				continue
			}
			tensor := Tensor{info.Name, info.DType, info.Shape, raw(b)}
			tensors = append(tensors, tensor)
			if err := writeTensor(&again, tensor); err != nil {
				t.Fatal(err)
			}
		}
		if len(tensors) == 0 {
			return
		}
		second, err := inMemoryWeights(again.Bytes(), infos(tensors))
		if err != nil {
			t.Fatal(err)
		}
		same(t, second, tensors)
	})
}

// inMemoryWeights is Open for the bytes of a file.
func inMemoryWeights(data []byte, want []Info) (*Weights, error) {
	w := newWeights("a")
	parts, err := w.file(bytes.NewReader(data), int64(len(data)))
	if err == nil {
		err = w.take(parts, want)
	}
	return w, err
}

// allocated returns the bytes that f allocates.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// limit is the most that opening n bytes may allocate.
func limit(n int) int64 { return 16*int64(n) + 1<<20 }

// TestBombs opens files that name far more tensors than they hold, or hold many small ones.
func TestBombs(t *testing.T) {
	array := "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01)cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R\x89U\x01atbq\x00"
	var dict, nested, scalars, names strings.Builder
	for i := range 1 << 15 {
		fmt.Fprintf(&dict, "U\x04%04xh\x00", i)
		if i%8 == 0 {
			if i > 0 {
				nested.WriteString("u")
			}
			fmt.Fprintf(&nested, "U\x05d%04x}(", i)
		}
		fmt.Fprintf(&nested, "U\x04%04xh\x00", i)
		fmt.Fprintf(&names, "U\x04%04xU\x02%02x", i, i&0xff)
		scalars.WriteString("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x08\x14a")
	}
	for _, c := range []struct{ name, data, want string }{
		{"one array, many names", "\x80\x02}(U\x01x" + array + dict.String() + "u.", "needs too much memory"},
		{"one array, some thousand names", "\x80\x02}(U\x01x" + array + dict.String()[:8*1600] + "u.", "it names more than 12"},
		{"in many dicts", "\x80\x02}(U\x01x" + array + nested.String() + "uu.", "needs too much memory"},
		{"many scalars", scalars.String(), ""},
		{"many names", "\x80\x02}(U\x01x" + array + "U\x1bStructuredToParameterName@@}(" + names.String() + "uu.", "needs too much memory"},
	} {
		var err error
		data := []byte(c.data)
		used := allocated(func() { _, err = inMemoryWeights(data, nil) })
		if used > limit(len(data)) {
			t.Errorf("%s: %d bytes allocated for %d", c.name, used, len(data))
		}
		if got := fmt.Sprint(err); c.want == "" && err != nil || c.want != "" && !strings.Contains(got, c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

package pickle

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everyByte holds all values of a byte, some of them twice.
func everyByte(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

func data(b []byte) func(io.Writer) error {
	return func(w io.Writer) error { _, err := w.Write(b); return err }
}

// writeSample writes every kind of value.
func writeSample(e *Encoder) {
	e.List(func() {
		for _, v := range []int64{0, 255, 256, 65535, 65536, -1, math.MinInt32, math.MaxInt32 + 1, math.MinInt64, math.MaxInt64} {
			e.Int(v)
		}
		for _, v := range []float64{0.1, math.Inf(-1), math.Copysign(0, -1), math.SmallestNonzeroFloat64} {
			e.Float(v)
		}
		e.Tuple(func() { e.None(); e.Bool(true); e.Bool(false); e.Tuple(func() {}); e.List(func() {}) })
		for range 2 {
			e.Dict(func() {
				e.Str("video")
				e.Bytes([]byte("a\xff"))
				e.Text("größe")
				e.Bytes(nil)
				e.Str("feature")
				e.Array(Uint8, []int{2, 3}, data([]byte{0, 127, 128, 191, 192, 255}))
			})
		}
		e.Array(Float32, nil, data([]byte{1, 2, 3, 4}))
		e.Array(Int64, []int{0, 5}, data(nil))
		e.Array(Uint8, []int{3 * chunk}, data(everyByte(3*chunk)))
		e.Bytes(everyByte(2 * chunk))
	})
}

func TestWrite(t *testing.T) {
	var b bytes.Buffer
	e := NewEncoder(&b)
	writeSample(e)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := decode(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	video := []any{"dict", Str("video"), []byte("a\xff"), "größe", []byte{}, Str("feature"), "uint8[2 3] [0 127 128 191 192 255] <nil>"}
	want := []any{int64(0), int64(255), int64(256), int64(65535), int64(65536), int64(-1), int64(math.MinInt32), int64(math.MaxInt32 + 1),
		int64(math.MinInt64), int64(math.MaxInt64), 0.1, math.Inf(-1), math.Copysign(0, -1), math.SmallestNonzeroFloat64,
		[]any{"tuple", nil, true, false, []any{"tuple"}, []any{}}, video, video, "float32[] [1 2 3 4] <nil>", "int64[0 5] [] <nil>"}
	items := v.(*List).Items
	n := len(items)
	if diff := cmp.Diff(want, each(items[:n-2])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := items[n-2].(*NDArray).Bytes(); err != nil || !bytes.Equal(got, everyByte(3*chunk)) {
		t.Errorf("long array: other bytes, %v", err)
	}
	if got, _ := items[n-1].([]byte); !bytes.Equal(got, everyByte(2*chunk)) {
		t.Error("long bytes: others")
	}
}

// TestPythonReads has Python read what is written, with its own pickle and what it says of arrays replaced, for want of NumPy.
func TestPythonReads(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	path := filepath.Join(t.TempDir(), "a.pkl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	e := NewEncoder(f)
	writeSample(e)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	const script = `
import pickle, sys
class Array:
    def __init__(self, *a): pass
    def __setstate__(self, s): self.s = s
class Reader(pickle.Unpickler):
    def find_class(self, module, name):
        if module.startswith("numpy"):
            return Array if name in ("ndarray", "dtype") else lambda cls, *a: cls()
        return super().find_class(module, name)
v = Reader(open(sys.argv[1], "rb")).load()
assert v[:10] == [0, 255, 256, 65535, 65536, -1, -2**31, 2**31, -2**63, 2**63-1], v[:10]
assert v[10:14] == [0.1, float("-inf"), -0.0, 5e-324] and str(v[12]) == "-0.0", v[10:14]
assert v[14] == (None, True, False, (), []), v[14]
for d in v[15:17]:
    assert list(d) == ["video", "größe", "feature"] and d["video"] == b"a\xff" and d["größe"] == b"", d
    assert d["feature"].s[:2] == (1, (2, 3)) and d["feature"].s[3:] == (False, bytes([0, 127, 128, 191, 192, 255]))
    assert d["feature"].s[2].s == (3, "|", None, None, None, -1, -1, 0)
assert v[19].s[4] == bytes(i * 7 % 256 for i in range(3 * 32768))
assert v[20] == bytes(i * 7 % 256 for i in range(2 * 32768))
assert list(pickle.Unpickler.__mro__) and list(type("R", (Reader,), {})(open(sys.argv[1], "rb"), encoding="bytes").load()[15]) == [b"video", "größe", b"feature"]
`
	if out, err := exec.Command(python, "-c", script, path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestWriteErrors(t *testing.T) {
	boom := errors.New("boom")
	calls := 0
	for _, c := range []struct {
		name  string
		write func(*Encoder)
		want  string
	}{
		{"data fails", func(e *Encoder) { e.Array(Uint8, nil, func(io.Writer) error { return boom }) }, "boom"},
		{"data too short", func(e *Encoder) { e.Array(Uint8, []int{2}, data([]byte{1})) }, "an array of 2 bytes, but 1 were written"},
		{"data changes", func(e *Encoder) {
			e.Array(Uint8, []int{1}, func(w io.Writer) error { calls++; _, err := w.Write([]byte{byte(100 * calls)}); return err })
		}, "changed while it was written"},
		{"type", func(e *Encoder) { e.Array("bfloat16", nil, data(nil)) }, `the unknown type "bfloat16"`},
		{"shape", func(e *Encoder) { e.Array(Uint8, []int{-1}, data(nil)) }, "impossible shape [-1]"},
		{"large shape", func(e *Encoder) { e.Array(Float64, []int{1 << 40, 1 << 40}, data(nil)) }, "impossible shape"},
		{"key", func(e *Encoder) { e.Str("größe") }, "a short string of ASCII"},
	} {
		e := NewEncoder(io.Discard)
		e.List(func() { c.write(e); e.Int(1) })
		if err := e.Close(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	e := NewEncoder(failing{})
	for range 100_000 {
		e.Int(1)
	}
	if err := e.Close(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

package host

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"avcu/engine"
)

func alloc(t *testing.T, d engine.Device, bytes int64) *engine.Memory {
	t.Helper()
	m, err := d.Alloc(bytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Free(m) })
	return m
}

// devices are ref and, where it is built in, cpu.
func devices(t *testing.T) []engine.Device {
	all := []engine.Device{NewRef()}
	if c, err := NewCPU(Options{Threads: 2}); err == nil {
		all = append(all, c)
	}
	for _, d := range all {
		t.Cleanup(func() { _ = d.Close() })
	}
	return all
}

func TestMemory(t *testing.T) {
	for _, d := range devices(t) {
		for _, bytes := range []int64{1, 255, 4096, 5 << 20} { // the last is advised to be of large pages
			m := alloc(t, d, bytes)
			if m.Device != d || m.Bytes != bytes || uintptr(m.Host)%engine.Align != 0 {
				t.Errorf("%s: %d bytes at %p", d.Name(), m.Bytes, m.Host)
			}
			for i, b := range unsafe.Slice((*byte)(m.Host), bytes) {
				if b != 0 {
					t.Fatalf("%s: byte %d of new memory is %d", d.Name(), i, b)
				}
			}
			if err := d.Free(m); err != nil {
				t.Error(err)
			}
			if m.Host != nil || m.Bytes != 0 {
				t.Error("freed memory still has an address")
			}
			if err := d.Free(m); err != nil {
				t.Errorf("%s: freed twice: %v", d.Name(), err)
			}
		}
		empty := alloc(t, d, 0)
		if b := engine.NewTensor(empty, 0, engine.Float32, 0, 0).Buffer(); b.Host() != nil || d.Fill(b, 1) != nil || d.CopyIn(b, nil) != nil {
			t.Error("empty memory is something")
		}
	}
}

func TestAllocErrors(t *testing.T) {
	d := NewRef()
	if m, err := d.Alloc(-1); err == nil {
		t.Errorf("-1 bytes gave %v", m)
	}
	// Twice the address space of a process.
	if m, err := d.Alloc(1 << 48); err == nil || !strings.Contains(err.Error(), "host: allocating 268435456 MB of memory: ") {
		t.Errorf("256 TB gave %v, %v", m, err)
	}
}

func TestCopies(t *testing.T) {
	for _, d := range devices(t) {
		m := alloc(t, d, 16)
		all := engine.NewTensor(m, 0, engine.Uint8, 0, 16).Buffer()
		part := engine.NewTensor(m, 4, engine.Uint8, 0, 3).Buffer()
		if err := errors.Join(d.Fill(all, 7), d.CopyIn(part, []byte{1, 2, 3}), d.Sync()); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 16)
		if err := d.CopyOut(got, all); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]byte{7, 7, 7, 7, 1, 2, 3, 7, 7, 7, 7, 7, 7, 7, 7, 7}, got); diff != "" {
			t.Errorf("%s: memory (-want +got):\n%s", d.Name(), diff)
		}
		for want, err := range map[string]error{
			"host: copying 4 bytes into 3":  d.CopyIn(part, make([]byte, 4)),
			"host: copying 3 bytes into 16": d.CopyOut(got, part),
		} {
			if err == nil || err.Error() != want {
				t.Errorf("%s: %v, want %q", d.Name(), err, want)
			}
		}
		if d.Separate() {
			t.Error("a host device wants tensors apart")
		}
		broken := errors.New("broken")
		if spent, err := d.Time(func() error { time.Sleep(2 * time.Millisecond); return broken }); err != broken || spent < 2*time.Millisecond {
			t.Errorf("timed %v, %v", spent, err)
		}
	}
}

// A copy that several threads share moves every byte, and no other.
func TestLargeCopy(t *testing.T) {
	const n = 5<<20 + 13
	for _, d := range devices(t) {
		m := alloc(t, d, n+2)
		src := make([]byte, n)
		for i := range src {
			src[i] = byte(i*7>>5 | 1)
		}
		if err := d.CopyIn(engine.NewTensor(m, 1, engine.Uint8, 0, n).Buffer(), src); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, n+2)
		if err := d.CopyOut(got, engine.NewTensor(m, 0, engine.Uint8, 0, n+2).Buffer()); err != nil {
			t.Fatal(err)
		}
		if got[0] != 0 || got[n+1] != 0 || !bytes.Equal(got[1:n+1], src) {
			t.Errorf("%s: the copy differs", d.Name())
		}
		if err := d.CopyIn(engine.NewTensor(m, 0, engine.Uint8, 0, n-1).Buffer(), src); err == nil {
			t.Errorf("%s: %d bytes go into %d", d.Name(), n, n-1)
		}
	}
}

func TestSlice(t *testing.T) {
	d := NewRef()
	m := alloc(t, d, 256)
	x := engine.NewTensor(m, 8, engine.Float32, 5, 3, 4)
	s := Slice[float32](x)
	if len(s) != 14 || unsafe.Pointer(&s[0]) != unsafe.Add(m.Host, 8) {
		t.Errorf("a slice of %d elements, want 2·5+4", len(s))
	}
	s[5] = 3 // row 1, column 0
	got := make([]float32, 12)
	if err := engine.Read(d, got, x); err != nil || got[4] != 3 {
		t.Errorf("read %v, %v", got, err)
	}
	if s := Slice[float32](x.Prefix(0)); len(s) != 0 {
		t.Errorf("an empty tensor has %d elements", len(s))
	}
	defer func() {
		if recover() == nil {
			t.Error("floats were seen as bytes")
		}
	}()
	Slice[uint8](x)
}

func TestNames(t *testing.T) {
	r := NewRef()
	if r.Name() != "ref" || r.Arch() != "ref" || r.Describe() == "" {
		t.Errorf("%q %q %q", r.Name(), r.Arch(), r.Describe())
	}
	for i, want := range []string{"plain", "avx2", "avx512"} {
		if ISA(i).String() != want {
			t.Errorf("ISA %d is %v", i, ISA(i))
		}
	}
}

func TestOptions(t *testing.T) {
	best, err := NewCPU(Options{})
	if err != nil {
		t.Skip(err)
	}
	defer best.Close()
	if best.Threads() != runtime.NumCPU() || best.Name() != "cpu" || best.Pool() == nil {
		t.Errorf("%s has %d threads", best.Name(), best.Threads())
	}
	for _, limit := range []ISA{Plain, AVX2, AVX512} {
		c, err := NewCPU(Options{Threads: 3, Limit: &limit})
		if err != nil {
			t.Fatal(err)
		}
		if want := min(limit, best.isa); c.isa != want || !strings.HasPrefix(c.Arch(), want.String()) || !strings.HasPrefix(c.Describe(), "3 threads, "+want.String()) {
			t.Errorf("limited to %v: %q", limit, c.Describe())
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What multiplies, which AMX may do and bfloat16 asks for, has names of its own.
func TestUnits(t *testing.T) {
	for _, o := range []Options{{}, {BF16: true}, {BF16: true, NoAMX: true}, {NoAMX: true}} {
		c, err := NewCPU(o)
		if err != nil {
			t.Skip(err)
		}
		defer c.Close()
		suffix := ""
		switch {
		case o.BF16 && c.isa != AVX512:
			suffix = "+bf16"
		case o.BF16:
			suffix = map[bf16Unit]string{noBF16: "+bf16", avx512BF16: "bf16", amxBF16: "amx"}[c.unit]
		case c.unit == amxBF16:
			suffix = "+amx"
		}
		if c.Arch() != c.isa.String()+suffix || o.NoAMX && c.unit == amxBF16 || !o.BF16 && c.unit == avx512BF16 {
			t.Errorf("%+v: %q with unit %d", o, c.Arch(), c.unit)
		}
		t.Log(c.Describe())
	}
}

func TestCheckLabels(t *testing.T) {
	d := NewRef()
	ints := func(v ...int32) engine.Tensor {
		x := engine.NewTensor(alloc(t, d, int64(4*len(v))), 0, engine.Int32, 0, len(v))
		if err := engine.Write(d, x, v); err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, c := range []struct {
		name            string
		offsets, labels engine.Tensor
		want            string
	}{
		{"good", ints(0, 2, 2, 3), ints(0, 4, 2), ""},
		{"more labels than used", ints(0, 1, 1, 1), ints(0, 99), ""},
		{"no labels", ints(0, 0, 0, 0), ints(), ""},
		{"too few offsets", ints(0, 1), ints(0), "k: offsets is int32[2], want int32[4]"},
		{"labels of rank 2", ints(0, 0, 0, 0), ints(0, 1).Reshape(1, 2), "k: labels is int32[1 2], want int32[-1]"},
		{"falling", ints(0, 2, 1, 3), ints(0, 1, 2), "k: row 1 has labels 2 to 1 of 3"},
		{"negative offset", ints(-1, 0, 0, 0), ints(0), "k: row 0 has labels -1 to 0 of 1"},
		{"behind the labels", ints(0, 1, 2, 4), ints(0, 1, 2), "k: row 2 has labels 2 to 4 of 3"},
		{"class too high", ints(0, 1, 2, 3), ints(0, 5, 2), "k: row 1 has label 5, and there are 5 classes"},
		{"negative class", ints(0, 0, 0, 1), ints(-1), "k: row 2 has label -1, and there are 5 classes"},
	} {
		got := ""
		if err := CheckLabels("k", c.offsets, c.labels, 3, 5); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Borrowed memory is the owner's: what the owner changes is there without a copy.
func TestBorrow(t *testing.T) {
	var m engine.Memory
	own := []byte{1, 2, 3, 4, 5, 6}
	d := NewRef()
	d.Borrow(&m, own)
	x := engine.NewTensor(&m, 0, engine.Uint8, 0, 2, 3)
	own[4] = 9
	if got := Slice[uint8](x); len(got) != 6 || got[4] != 9 || &got[0] != &own[0] {
		t.Errorf("borrowed %v", got)
	}
	d.Borrow(&m, nil)
	if m.Bytes != 0 {
		t.Errorf("%d bytes of nothing", m.Bytes)
	}
}

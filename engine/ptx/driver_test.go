package ptx

import (
	"errors"
	"strings"
	"testing"
	"unsafe"

	"avcu/engine/cuda"
)

func opened(t *testing.T, o Options) *Driver {
	t.Helper()
	d := NewDriver(o)
	if err := d.Open(0); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMemory(t *testing.T) {
	backing := make([]byte, 8192)
	for name, o := range map[string]Options{"Go memory": {Bytes: 4096}, "backed": {Memory: backing, Bytes: 4096}} {
		t.Run(name, func(t *testing.T) {
			d := opened(t, o)
			a, err := d.Alloc(1000)
			if err != nil || a%256 != 0 || a>>32 == 0 {
				t.Fatalf("%#x, %v", a, err)
			}
			b, err := d.Alloc(1000)
			if err != nil || b < a+1000+256 {
				t.Fatalf("%#x, %v", b, err)
			}
			if free, total, err := d.MemInfo(); free != 2096 || total != 4096 || err != nil {
				t.Error(free, total, err)
			}
			if _, err := d.Alloc(2097); !errors.Is(err, cuda.ErrOutOfMemory) || !strings.Contains(err.Error(), "2096 bytes of 4096 are free, and 2097 were asked for") {
				t.Error(err)
			}
			for i, err := range []error{d.CopyIn(a+1, []byte{1, 2, 3}), d.Fill(a+3, 9, 2, 0), d.Free(b)} {
				if err != nil {
					t.Error(i, err)
				}
			}
			got := make([]byte, 6)
			if err := d.CopyOut(got, a); err != nil || string(got) != "\xff\x01\x02\x09\x09\xff" {
				t.Errorf("%q, %v", got, err)
			}
			if o.Memory != nil && string(backing[a-Base:a-Base+6]) != string(got) {
				t.Error("the backing memory holds something else")
			}
			for name, err := range map[string]error{
				"beyond the end": d.CopyIn(a+999, []byte{1, 2}), "freed": d.CopyOut(got, b), "twice": d.Free(b), "inside": d.Free(a + 256), "fill": d.Fill(a, 0, 1001, 0), "null": d.CopyIn(0, got),
			} {
				if err == nil {
					t.Errorf("%s: no error", name)
				}
			}
			if err := d.Free(b); !strings.Contains(err.Error(), "that were freed") {
				t.Error(err)
			}
		})
	}
	// Memory that was given back is used again where it is backed.
	d := opened(t, Options{Memory: make([]byte, 4096)})
	var list []uint64
	for range 3 {
		a, err := d.Alloc(512)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, a)
	}
	if err := d.Free(list[1]); err != nil {
		t.Fatal(err)
	}
	if a, err := d.Alloc(512); a != list[1] {
		t.Errorf("%#x, want %#x: %v", a, list[1], err)
	}
	if a, err := d.Alloc(513); err != nil || a != list[2]+768 {
		t.Errorf("%#x, %v", a, err)
	}
	if _, err := d.Alloc(1300); !errors.Is(err, cuda.ErrOutOfMemory) {
		t.Error(err)
	}
}

func TestDriver(t *testing.T) {
	d := NewDriver(Options{})
	if _, err := d.Alloc(1); err == nil {
		t.Error("a device that is not open gave memory")
	}
	if info, err := d.Devices(); err != nil || len(info) != 1 || info[0].Name != "PTX virtual machine" || info[0].Major != 6 || info[0].Bytes != 24<<30 {
		t.Error(info, err)
	}
	if d.Open(1) == nil || d.Open(0) != nil || d.Open(0) == nil {
		t.Error("Open")
	}
	m, err := d.Load(kernelText("st.global.u32 [%rd6], %r1;"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Load("nonsense"); err == nil {
		t.Error("nonsense was loaded")
	}
	if _, err := d.Function(m, "other"); err == nil || !strings.Contains(err.Error(), "no kernel other") {
		t.Error(err)
	}
	f, err := d.Function(m, "k")
	if err != nil {
		t.Fatal(err)
	}
	if a, err := d.Attributes(f); err != nil || a.SharedBytes != 1024 || a.LocalBytes != 16 || a.MaxThreads != 1024 {
		t.Error(a, err)
	}
	one := [3]int{1, 1, 1}
	for name, err := range map[string]error{
		"parameters": d.Launch(f, one, one, 0, 0, []uint64{1}), "threads": d.Launch(f, one, [3]int{1025, 1, 1}, 0, 0, make([]uint64, 3)),
		"shared": d.Launch(f, one, one, 48<<10, 0, make([]uint64, 3)), "grid": d.Launch(f, [3]int{1, 65536, 1}, one, 0, 0, make([]uint64, 3)),
		"empty": d.Launch(f, [3]int{}, one, 0, 0, make([]uint64, 3)), "stream": d.Launch(f, one, one, 0, 99, make([]uint64, 3)), "function": d.Launch(f+1, one, one, 0, 0, nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := d.Sync(); err != nil {
		t.Errorf("a launch that never began: %v", err)
	}
	q, _ := d.Alloc(4)
	if err := d.Launch(f, one, [3]int{2, 1, 1}, 0, 0, []uint64{q, q, 0}); err == nil {
		t.Fatal("no fault")
	}
	for name, err := range map[string]error{"Sync": d.Sync(), "CopyOut": d.CopyOut(make([]byte, 4), q), "Launch": d.Launch(f, one, one, 0, 0, []uint64{q, q, 0})} {
		var fault *Fault
		if !errors.As(err, &fault) {
			t.Errorf("%s after a fault: %v", name, err)
		}
	}
	if err := errors.Join(d.Free(q), d.Unload(m), d.Close(), d.Open(0), d.Sync(), d.Close()); err != nil {
		t.Error(err)
	}
}

func TestStreamsAndEvents(t *testing.T) {
	d := opened(t, Options{})
	s, err := d.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	from, _ := d.NewEvent()
	to, _ := d.NewEvent()
	if _, err := d.Elapsed(from, to); err == nil {
		t.Error("time between events that did not happen")
	}
	p, err := d.HostAlloc(8)
	if err != nil {
		t.Fatal(err)
	}
	copy(unsafe.Slice((*byte)(p), 8), "12345678")
	a, _ := d.Alloc(8)
	if err := errors.Join(d.Record(from, s), d.CopyInAsync(a, p, 8, s), d.Record(to, s), d.Wait(0, to), d.SyncStream(s), d.SyncEvent(to)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	if err := d.CopyOut(got, a); err != nil || string(got) != "12345678" {
		t.Error(string(got), err)
	}
	if took, err := d.Elapsed(from, to); err != nil || took < 0 {
		t.Error(took, err)
	}
	for name, err := range map[string]error{"more than is pinned": d.CopyInAsync(a, p, 9, s), "no stream": d.SyncStream(77), "no event": d.Record(77, s), "twice": errors.Join(d.HostFree(p), nil)} {
		if (err == nil) != (name == "twice") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errors.Join(d.CloseEvent(from), d.CloseStream(s)); err != nil || d.HostFree(p) == nil || d.CloseStream(s) == nil || d.CloseEvent(from) == nil {
		t.Error("handles that are gone are still taken", err)
	}
}

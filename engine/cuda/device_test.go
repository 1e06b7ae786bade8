package cuda

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"avcu/engine"
)

func open(t *testing.T, f *fake, o Options) *Device {
	t.Helper()
	d, err := Open(f, o)
	if err != nil {
		t.Fatal(err)
	}
	f.calls = nil
	return d
}

func TestNames(t *testing.T) {
	d := open(t, newFake(24<<30), Options{})
	if d.Name() != "cuda:0" || d.Arch() != "sm_61" {
		t.Errorf("%s, %s", d.Name(), d.Arch())
	}
	if want := "fake, compute capability 6.1, 30 multiprocessors, 24576 MB, driver for CUDA 12.9"; d.Describe() != want {
		t.Errorf("%q, want %q", d.Describe(), want)
	}
	if _, err := Open(newFake(1), Options{Index: 2}); err == nil || !strings.Contains(err.Error(), "no device 2") {
		t.Error(err)
	}
}

func TestMemory(t *testing.T) {
	f := newFake(10 << 20)
	d := open(t, f, Options{})
	m, err := d.Alloc(4 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"Alloc 4194304", "Fill 4194304 with 0"}; !cmp.Equal(f.calls, want) {
		t.Error(cmp.Diff(f.calls, want))
	}
	_, err = d.Reserve(8 << 20)
	var full *MemoryError
	if !errors.As(err, &full) || !errors.Is(err, ErrOutOfMemory) || !strings.Contains(err.Error(), "asked for 8192 KB where 6144 KB of 10 MB are free") {
		t.Error(err)
	}
	f.fail["Fill"] = errors.New("no fill")
	if _, err := d.Alloc(1 << 20); err == nil || f.used != 4<<20 {
		t.Errorf("error %v, and %d bytes are still in use", err, f.used)
	}
	if err := d.Free(m); err != nil || f.used != 0 {
		t.Error(err, f.used)
	}
	for _, bytes := range []int64{0} {
		if m, err := d.Alloc(bytes); err != nil || m.Addr != 0 || d.Free(m) != nil {
			t.Error(m, err)
		}
	}
}

// Scratch grows, waits before it gives memory back, and is new for every launch where accesses are checked.
func TestScratch(t *testing.T) {
	f := newFake(1 << 20)
	d := open(t, f, Options{})
	a, _ := d.Scratch(100)
	b, _ := d.Scratch(50)
	c, err := d.Scratch(200)
	if err != nil || a != b || a == c {
		t.Error(a, b, c, err)
	}
	if want := []string{"Alloc 100", "SyncStream 1", "Free", "Alloc 200"}; !cmp.Equal(f.calls, want) {
		t.Error(cmp.Diff(f.calls, want))
	}
	checked := open(t, f, Options{Checks: true})
	a, _ = checked.Scratch(100)
	if b, _ = checked.Scratch(50); a == b || f.sizes[b] != 50 {
		t.Error("memory of another size was handed out again")
	}
	if _, err := d.Scratch(2 << 20); err == nil || !strings.Contains(err.Error(), "scratch") {
		t.Error(err)
	}
}

func TestLaunch(t *testing.T) {
	f := newFake(1 << 20)
	d := open(t, f, Options{})
	s := &Source{Name: "test", PTX: "text"}
	for range 2 {
		if err := d.Launch(s, "k", Grid{X: 3, Y: 2, Threads: 64, Shared: 16}, Int(7), F32(1), Bool(true)); err != nil {
			t.Fatal(err)
		}
	}
	launch := "Launch [3 2 1] [64 1 1] 16 [7 1065353216 1]"
	if want := []string{"Load", "Function k", launch, launch}; !cmp.Equal(f.calls, want) || d.Launches() != 2 {
		t.Error(cmp.Diff(f.calls, want), d.Launches())
	}
	if err := d.Launch(s, "k", Grid{Y: 65536}); err == nil {
		t.Error("a grid of 65,536 rows was taken")
	}
	f.fail["Launch"] = errors.New("launch failed")
	if err := d.Launch(s, "k", Grid{X: 1, Threads: 1}); err == nil || !strings.Contains(err.Error(), "test: kernel k: launch failed") {
		t.Error(err)
	}
	delete(f.fail, "Launch")
	sync := open(t, f, Options{Checks: true})
	f.fail["Sync"] = errors.New("illegal address")
	if err := sync.Launch(s, "k", Grid{X: 1, Threads: 1}); err == nil || !strings.Contains(err.Error(), "test: kernel k: illegal address") {
		t.Error(err)
	}
	d = open(t, f, Options{}) // the other has lost its context
	args := testing.AllocsPerRun(100, func() { _ = d.Launch(s, "k", Grid{X: 1, Threads: 1}, Int(1), Int(2), Int(3)) })
	f.calls = nil
	if args > 8 { // the fake's own, which formats text
		t.Errorf("%v allocations a launch", args)
	}
}

// A staged copy goes through pinned memory in the second stream, and kernels wait for it.
func TestStage(t *testing.T) {
	f := newFake(1 << 20)
	d := open(t, f, Options{})
	m, err := d.Reserve(100)
	if err != nil {
		t.Fatal(err)
	}
	f.calls = nil
	dst := []engine.Buffer{engine.NewTensor(m, 0, engine.Uint8, 0, 60).Buffer(), engine.NewTensor(m, 60, engine.Uint8, 0, 40).Buffer()}
	for range 2 {
		if err := d.Stage(dst, [][]byte{make([]byte, 60), make([]byte, 40)}); err != nil {
			t.Fatal(err)
		}
		if err := d.Staged(); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"SyncEvent 5", "HostAlloc 60", "CopyInAsync 60 stream 2", "HostAlloc 40", "CopyInAsync 40 stream 2", "Record event 5 stream 2", "Wait stream 1 event 5",
		"SyncEvent 5", "CopyInAsync 60 stream 2", "CopyInAsync 40 stream 2", "Record event 5 stream 2", "Wait stream 1 event 5",
	}
	if !cmp.Equal(f.calls, want) {
		t.Error(cmp.Diff(f.calls, want))
	}
	if err := d.Stage(dst, [][]byte{make([]byte, 1), nil}); err == nil {
		t.Error("a copy of another length was taken")
	}
	if err := d.Close(); err != nil || len(f.host) != 0 {
		t.Error(err, len(f.host))
	}
}

func TestCopiesWaitForKernels(t *testing.T) {
	f := newFake(1 << 20)
	d := open(t, f, Options{})
	m, _ := d.Reserve(8)
	b := engine.NewTensor(m, 0, engine.Uint8, 0, 8).Buffer()
	f.calls = nil
	if err := errors.Join(d.CopyIn(b, make([]byte, 8)), d.CopyOut(make([]byte, 8), b), d.Fill(b, 3)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"SyncStream 1", "CopyIn 8", "SyncStream 1", "CopyOut 8", "Fill 8 with 3"}; !cmp.Equal(f.calls, want) {
		t.Error(cmp.Diff(f.calls, want))
	}
	if d.CopyIn(b, make([]byte, 7)) == nil || d.CopyOut(make([]byte, 9), b) == nil {
		t.Error("a copy of another length was taken")
	}
	took, err := d.Time(func() error { return nil })
	if err != nil || took.Milliseconds() != 1 {
		t.Error(took, err)
	}
}

// After a kernel has failed, giving things back reports nothing more.
func TestLostDevice(t *testing.T) {
	f := newFake(1 << 20)
	d := open(t, f, Options{})
	m, err := d.Reserve(8)
	if err != nil {
		t.Fatal(err)
	}
	f.fail["SyncStream"], f.fail["Free"], f.fail["Close"] = errors.New("lost"), errors.New("lost"), errors.New("lost")
	if err := d.CopyOut(make([]byte, 8), engine.NewTensor(m, 0, engine.Uint8, 0, 8).Buffer()); err == nil {
		t.Error("the failure was not reported")
	}
	if err := errors.Join(d.Free(m), d.Close()); err != nil {
		t.Error(err)
	}
}

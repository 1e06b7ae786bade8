//go:build cuda

package nvidia

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"avcu/engine/cuda"
)

// put writes its second argument to words [0, 32) of its first, each plus its thread's number.
const put = `.version 6.4
.target sm_61
.address_size 64
.visible .entry put(.param .u64 put_to, .param .u32 put_word)
{
	.reg .b32 %r<4>;
	.reg .b64 %rd<5>;
	ld.param.u64 %rd1, [put_to];
	ld.param.u32 %r1, [put_word];
	cvta.to.global.u64 %rd2, %rd1;
	mov.u32 %r2, %tid.x;
	add.s32 %r3, %r1, %r2;
	mul.wide.u32 %rd3, %r2, 4;
	add.s64 %rd4, %rd2, %rd3;
	st.global.u32 [%rd4], %r3;
	ret;
}
`

func opened(t *testing.T) *Driver {
	t.Helper()
	d := New()
	if err := d.Open(0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// done gives a value, or ends the test.
func done[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestDevices(t *testing.T) {
	for i, info := range done[[]cuda.Info](t)(New().Devices()) {
		if info.Name == "" || info.Major < 6 || info.Bytes <= 0 || info.Multiprocessors <= 0 || info.Driver < 10000 {
			t.Errorf("device %d: %v", i, info)
		}
	}
	if err := New().Open(1000); err == nil || !strings.Contains(err.Error(), "CUDA_ERROR_INVALID_DEVICE") {
		t.Errorf("opening device 1000: %v", err)
	}
	if err := New().Sync(); err == nil || !strings.Contains(err.Error(), "no device is open") {
		t.Errorf("a driver that is not open: %v", err)
	}
}

// Every call makes its context current where it runs: calls come from many threads, and there are two contexts.
func TestMemory(t *testing.T) {
	first, second := opened(t), opened(t)
	var all sync.WaitGroup
	var turn sync.Mutex
	for i := range 16 {
		all.Go(func() {
			turn.Lock()
			defer turn.Unlock()
			for n, d := range []*Driver{first, second} {
				addr, err := d.Alloc(1000)
				if err != nil || addr%256 != 0 {
					t.Errorf("%#x, %v", addr, err)
					return
				}
				want := bytes.Repeat([]byte{byte(i), byte(n), 7, 8}, 250)
				got := make([]byte, 1000)
				if err := errors.Join(d.CopyIn(addr, want), d.CopyOut(got, addr)); err != nil || !bytes.Equal(got, want) {
					t.Errorf("copied %v, %v", got[:8], err)
				}
				if err := errors.Join(d.Fill(addr+10, 0xA5, 980, 0), d.SyncStream(0), d.CopyOut(got, addr), d.Free(addr)); err != nil ||
					got[9] != want[9] || got[10] != 0xA5 || got[989] != 0xA5 || got[990] != want[990] {
					t.Errorf("filled: %v", err)
				}
			}
		})
	}
	all.Wait()
	free, total, err := first.MemInfo()
	if err != nil || free <= 0 || free > total {
		t.Errorf("%d of %d bytes free, %v", free, total, err)
	}
	if _, err := first.Alloc(1 << 50); !errors.Is(err, cuda.ErrOutOfMemory) {
		t.Errorf("a petabyte: %v", err)
	}
}

func TestLaunch(t *testing.T) {
	d := opened(t)
	m := done[cuda.Module](t)(d.Load(put))
	f := done[cuda.Function](t)(d.Function(m, "put"))
	if info := done[cuda.FunctionInfo](t)(d.Attributes(f)); info.Registers < 1 || info.MaxThreads < 32 {
		t.Errorf("%+v", info)
	}
	compute, copies := done[cuda.Stream](t)(d.NewStream()), done[cuda.Stream](t)(d.NewStream())
	start, stop := done[cuda.Event](t)(d.NewEvent()), done[cuda.Event](t)(d.NewEvent())
	addr := done[uint64](t)(d.Alloc(256))
	pinned := done[unsafe.Pointer](t)(d.HostAlloc(256))
	copy(unsafe.Slice((*byte)(pinned), 256), bytes.Repeat([]byte{9}, 256))
	args := []uint64{addr, 0xFFFF_FFFF_0000_0100} // the upper half is of no parameter
	var errs []error
	errs = append(errs, d.SyncEvent(start), d.Record(start, copies), d.CopyInAsync(addr, pinned, 256, copies), d.Record(stop, copies), d.Wait(compute, stop),
		d.Launch(f, [3]int{1, 1, 1}, [3]int{32, 1, 1}, 0, compute, args))
	clear(args)
	errs = append(errs, d.SyncStream(compute), d.SyncEvent(stop))
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	words := make([]uint32, 64)
	if err := d.CopyOut(unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 256), addr); err != nil {
		t.Fatal(err)
	}
	for i, w := range words {
		want := uint32(0x09090909)
		if i < 32 {
			want = uint32(0x100 + i)
		}
		if w != want {
			t.Errorf("word %d is %#x, want %#x", i, w, want)
		}
	}
	if spent, err := d.Elapsed(start, stop); err != nil || spent < 0 {
		t.Error(spent, err)
	}
	args = []uint64{addr, 1}
	if n := testing.AllocsPerRun(50, func() {
		if err := d.Launch(f, [3]int{1, 1, 1}, [3]int{32, 1, 1}, 0, compute, args); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("a launch allocates %v times", n)
	}
	if err := errors.Join(d.Sync(), d.Free(addr), d.HostFree(pinned), d.CloseEvent(start), d.CloseEvent(stop), d.CloseStream(compute), d.CloseStream(copies), d.Unload(m)); err != nil {
		t.Error(err)
	}
	if again := done[cuda.Stream](t)(d.NewStream()); again != copies {
		t.Errorf("stream %d, where %d was free", again, copies)
	}
}

func TestLoadErrors(t *testing.T) {
	d := opened(t)
	if _, err := d.Load(strings.Replace(put, "add.s32", "add.s33", 1)); err == nil || !strings.Contains(err.Error(), "CUDA_ERROR_INVALID_PTX") || !strings.Contains(err.Error(), "add.s33") {
		t.Errorf("PTX that is none: %v", err)
	}
	m := done[cuda.Module](t)(d.Load(put))
	if _, err := d.Function(m, "get"); err == nil || !strings.Contains(err.Error(), "get: CUDA_ERROR_NOT_FOUND") {
		t.Errorf("a kernel that there is not: %v", err)
	}
}

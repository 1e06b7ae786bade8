package ptx

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unsafe"
)

// kernelText is a kernel k of a body. It has two pointers, %rd1 and %rd2, a number %r9, and these: %r1 =
// tid.x, %r2 = ctaid.x, %r3 = the thread in the grid, %rd3 = 4·%r1, %rd4 = 4·%r3, %rd5 = %rd1+%rd4, %rd6
// = %rd2+%rd4. 512 bytes of shared memory are s, and t after it.
func kernelText(body string) string {
	return `.version 6.4
.target sm_61
.address_size 64
.visible .entry k(.param .u64 p, .param .u64 q, .param .u32 n)
{
	.reg .pred %p<9>;
	.reg .b16 %rs<9>;
	.reg .b32 %r<19>;
	.reg .f32 %f<19>;
	.reg .b64 %rd<19>;
	.shared .align 4 .b8 s[512];
	.shared .align 4 .b8 t[512];
	.local .align 4 .b8 depot[16];
	ld.param.u64 %rd1, [p];
	ld.param.u64 %rd2, [q];
	ld.param.u32 %r9, [n];
	cvta.to.global.u64 %rd1, %rd1;
	mov.u32 %r1, %tid.x;
	mov.u32 %r2, %ctaid.x;
	mov.u32 %r4, %ntid.x;
	mad.lo.s32 %r3, %r2, %r4, %r1;
	mul.wide.u32 %rd3, %r1, 4;
	mul.wide.u32 %rd4, %r3, 4;
	add.s64 %rd5, %rd1, %rd4;
	add.s64 %rd6, %rd2, %rd4;
	mov.u64 %rd7, s;
	add.s64 %rd8, %rd7, %rd3; // &s[tid]
` + body + `
	ret;
}
`
}

func words(b []uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(b))), 4*len(b))
}

// try runs a body with p filled with 0, 1, 2, … and q never written, and returns q.
func try(t *testing.T, o Options, body string, grid, block, n int) ([]uint32, error) {
	t.Helper()
	d := NewDriver(o)
	d.patience = 100000
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(d.Open(0))
	m, err := d.Load(kernelText(body))
	must(err)
	f, err := d.Function(m, "k")
	must(err)
	p, err := d.Alloc(int64(4 * n))
	must(err)
	q, err := d.Alloc(int64(4 * n))
	must(err)
	count := make([]uint32, n)
	for i := range count {
		count[i] = uint32(i)
	}
	must(d.CopyIn(p, words(count)))
	if err := d.Launch(f, [3]int{grid, 1, 1}, [3]int{block, 1, 1}, 0, 0, []uint64{p, q, uint64(n)}); err != nil {
		if again := d.Sync(); !errors.Is(again, err) {
			t.Errorf("after a fault Sync says %v", again)
		}
		return nil, err
	}
	out := make([]uint32, n)
	must(d.CopyOut(words(out), q))
	must(d.Close())
	return out, nil
}

// mustFail demands a fault with these words in it.
func mustFail(t *testing.T, o Options, body string, grid, block, n int, says ...string) {
	t.Helper()
	_, err := try(t, o, body, grid, block, n)
	if err == nil {
		t.Errorf("no error, want one with %q", says)
		return
	}
	var fault *Fault
	if !errors.As(err, &fault) || fault.Kernel != "k" || fault.Line == 0 {
		t.Errorf("%v is not a fault of kernel k", err)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%v\nwant %q in it", err, s)
		}
	}
}

// mustGive demands the words of q.
func mustGive(t *testing.T, o Options, body string, grid, block, n int, want func(i int) uint32) {
	t.Helper()
	got, err := try(t, o, body, grid, block, n)
	if err != nil {
		t.Error(err)
		return
	}
	for i, v := range got {
		if w := want(i); v != w {
			t.Errorf("q[%d] = %#x, want %#x", i, v, w)
			return
		}
	}
}

func pointer(a *[lanes]float32) unsafe.Pointer { return unsafe.Pointer(a) }

func thread(x int) string { return fmt.Sprintf("thread (%d,0,0)", x) }

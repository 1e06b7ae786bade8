package largepages

import (
	"testing"
	"unsafe"
)

func TestMake(t *testing.T) {
	for _, n := range []int{0, 1, least - 1, least, least + 1, 25 << 20} {
		b := Make(n)
		if len(b) != n || n >= least && uintptr(unsafe.Pointer(&b[0]))%size != 0 {
			t.Fatalf("%d bytes at %p, want %d on a large page", len(b), b, n)
		}
		for i := range b {
			if b[i] != 0 {
				t.Fatalf("byte %d of %d is %d", i, n, b[i])
			}
			b[i] = 1
		}
		if more := append(b, 1); n > 0 && &more[0] == &b[0] {
			t.Errorf("%d bytes grow in place", n)
		}
	}
}

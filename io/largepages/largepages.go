// Package largepages makes large buffers that a processor finds its way in fast. A batch of features is gone through once a
// step, when nothing of it is left in the caches: on pages of 4 KB each of them then costs a walk through several tables, on a
// virtual machine through those of its host too, which takes longer than the bytes themselves.
package largepages

import "unsafe"

const (
	size  = 2 << 20  // bytes of a large page
	least = 2 * size // below which there is little to gain
)

// Make returns n zeroed bytes that belong to Go's heap, on large pages where the system has them and n is worth it. It
// suits buffers that are kept for long: up to a page more is taken.
func Make(n int) []byte {
	if n < least {
		return make([]byte, n)
	}
	b := make([]byte, n+size)
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (size - 1)
	b = b[skip : skip+n : skip+n]
	advise(b)
	return b
}

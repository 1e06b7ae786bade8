package host

import "syscall"

const madvHugepage = 14 // MADV_HUGEPAGE of linux/mman.h

// adviseHuge asks for 2 MB pages, which spare the matrix products most of their TLB misses. It is
// advice: refusal changes nothing but speed.
func adviseHuge(b []byte) {
	if len(b) >= 4<<20 {
		_ = syscall.Madvise(b, madvHugepage)
	}
}

package largepages

import "syscall"

const madvHugepage = 14 // MADV_HUGEPAGE of linux/mman.h

// advise asks for large pages before any is touched. Refusal changes nothing but speed.
func advise(b []byte) { _ = syscall.Madvise(b, madvHugepage) }

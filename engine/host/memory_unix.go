//go:build unix

package host

import (
	"fmt"
	"syscall"
)

// allocate maps zeroed pages outside Go's heap, so that gigabytes of parameters do not stretch the
// garbage collector's goal.
func allocate(bytes int64) ([]byte, error) {
	b, err := syscall.Mmap(-1, 0, int(bytes), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("host: allocating %d MB of memory: %w (a smaller batch size needs less)", bytes>>20, err)
	}
	adviseHuge(b)
	return b, nil
}

func release(b []byte) error { return syscall.Munmap(b) }

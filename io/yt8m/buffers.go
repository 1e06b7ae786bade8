package yt8m

import (
	"math/bits"
	"sync"
)

// Buffers lends byte slices and keeps those that come back, by size class, so that a steady stream of records allocates
// nothing.
type buffers struct {
	mu    sync.Mutex
	free  [256][][]byte // by class
	idle  int64         // bytes in free
	limit int64         // of idle
}

// class returns the size class of n bytes and the size of its buffers: n rounded up to a number of at most three
// significant bits, at least 4 KiB. A quarter of a buffer at most is unused above that.
func class(n int) (class, size int) {
	const smallest = 12
	if n <= 1<<smallest {
		return 0, 1 << smallest
	}
	shift := bits.Len(uint(n-1)) - 3 // n-1 has shift+3 bits
	quarters := (n-1)>>shift + 1     // 5 to 8 steps of 2^shift
	return (shift+3-smallest-1)*4 + quarters - 4, quarters << shift
}

// take returns a buffer of n bytes with any content.
func (b *buffers) take(n int) []byte {
	c, size := class(n)
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := len(b.free[c]) - 1; last >= 0 {
		buf := b.free[c][last]
		b.free[c] = b.free[c][:last]
		b.idle -= int64(size)
		return buf[:n]
	}
	return make([]byte, n, size)
}

// give takes a buffer back, which came from take; nil is nothing.
func (b *buffers) give(buf []byte) {
	if buf == nil {
		return
	}
	c, size := class(cap(buf))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.idle+int64(size) <= b.limit {
		b.free[c] = append(b.free[c], buf)
		b.idle += int64(size)
	}
}

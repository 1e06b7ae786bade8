//go:build !unix

package host

import (
	"unsafe"

	"avcu/engine"
)

// allocate makes memory on Go's heap that begins at a multiple of engine.Align.
func allocate(bytes int64) ([]byte, error) {
	b := make([]byte, bytes+engine.Align)
	skip := -uintptr(unsafe.Pointer(&b[0])) % engine.Align
	return b[skip : int64(skip)+bytes], nil
}

func release([]byte) error { return nil }

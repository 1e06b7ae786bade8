//go:build cgo

package simdtest

/*
#cgo CFLAGS: -std=c17 -O3
#include "simdtest.h"
*/
import "C"

import (
	"unsafe"

	"avcu/engine/host"
)

// Width is the number of floats in a vector of d's instruction set.
func Width(d *host.CPU) int { return int(C.avcu_simd_width(pool(d))) }

// Map sets y[i] = f(a[i], b[i], c[i]) for all i of y, whose length is a multiple of Width. Arguments
// that f does not have may be nil.
func Map(d *host.CPU, f Function, y, a, b, c []float32) {
	C.avcu_simd_map(pool(d), C.int(f), floats(a), floats(b), floats(c), floats(y), C.long(len(y)))
}

// Sums sets y[j] to vsum of the j-th vector of x, whose length is a multiple of Width.
func Sums(d *host.CPU, y, x []float32) {
	C.avcu_simd_sums(pool(d), floats(x), floats(y), C.long(len(x)))
}

// Bytes sets y[i] = x[i] by vbytes; the length is a multiple of Width.
func Bytes(d *host.CPU, y []float32, x []uint8) {
	C.avcu_simd_bytes(pool(d), (*C.uchar)(unsafe.SliceData(x)), floats(y), C.long(len(x)))
}

// Part loads the k first elements of x by vloadn, stores the whole vector to whole, and the k first
// elements to y by vstoren; 0 ≤ k < Width.
func Part(d *host.CPU, whole, y, x []float32, k int) {
	C.avcu_simd_part(pool(d), floats(x), floats(whole), floats(y), C.long(k))
}

func pool(d *host.CPU) *C.avcu_pool { return (*C.avcu_pool)(d.Pool()) }

func floats(s []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(s))) }

//go:build cgo

package host

/*
#cgo CFLAGS: -std=gnu17 -O2
#cgo LDFLAGS: -lpthread -lm
#cgo noescape avcu_copy
#cgo nocallback avcu_copy
#include "pool.h"
*/
import "C"

import (
	"errors"
	"runtime"
	"unsafe"

	"avcu/engine"
)

// HasAMX reports that AMX computes the matrix products of this processor's CPU, unless options forbid it.
func HasAMX() bool { return bf16Unit(C.avcu_detect_bf16()) == amxBF16 }

// NewCPU starts the workers.
func NewCPU(o Options) (*CPU, error) {
	c := &CPU{threads: o.Threads, isa: ISA(C.avcu_detect_isa())}
	if c.threads <= 0 {
		c.threads = runtime.NumCPU()
	}
	if o.Limit != nil {
		c.isa = min(c.isa, *o.Limit)
	}
	unit := bf16Unit(C.avcu_detect_bf16())
	if o.NoAMX {
		unit = min(unit, avx512BF16)
	}
	if !o.BF16 && unit != amxBF16 {
		unit = noBF16
	}
	pool := C.avcu_pool_new(C.int(c.threads), C.int(c.isa), C.int(unit))
	if pool == nil {
		return nil, errors.New("host: cannot start the worker threads (out of memory or threads)")
	}
	c.pool, c.bf16, c.unit = unsafe.Pointer(pool), o.BF16, bf16Unit(C.avcu_bf16(pool))
	c.device = c
	return c, nil
}

// Close ends the workers.
func (c *CPU) Close() error {
	if c.pool != nil {
		C.avcu_pool_free((*C.avcu_pool)(c.pool))
		c.pool = nil
	}
	return nil
}

// CopyIn copies src to dst, all threads together where it is large.
func (c *CPU) CopyIn(dst engine.Buffer, src []byte) error {
	if len(src) < 2<<20 || int64(len(src)) != dst.Bytes() {
		return c.memory.CopyIn(dst, src)
	}
	C.avcu_copy((*C.avcu_pool)(c.pool), dst.Host(), unsafe.Pointer(&src[0]), C.size_t(len(src)))
	return nil
}

//go:build cgo

package shift

/*
#cgo CFLAGS: -std=c17 -O3
#include "shift.h"
*/
import "C"

import (
	"avcu/engine"
	"avcu/engine/host"
)

func maskOf(m engine.Mask) C.struct_avcu_mask {
	mask := C.struct_avcu_mask{
		otherwise: C.float(1 - m.Rate), threshold: C.uint32_t(engine.DropThreshold(m.Rate)),
		key0: C.uint32_t(m.Seed), key1: C.uint32_t(m.Seed >> 32), step: C.uint32_t(m.Step), layer: C.uint32_t(m.Layer),
		first: C.uint32_t(m.First), column: C.uint32_t(m.Column), train: flag(m.Train),
	}
	if !m.Given.IsZero() {
		mask.given, mask.given_ld = (*C.uint8_t)(m.Given.Buffer().Host()), C.long(m.Given.LD())
	}
	return mask
}

func forwardCPU(d *host.CPU, s size, m engine.Mask, v, alpha, beta, y, norm engine.Tensor) {
	C.avcu_shift_forward((*C.avcu_pool)(d.Pool()), C.struct_avcu_shift{
		mask: maskOf(m), B: C.long(s.b), C: C.long(s.units), D: C.long(s.d),
		v: pointer(v), alpha: pointer(alpha), beta: pointer(beta), y: pointer(y), ldy: C.long(y.LD()), norm: pointer(norm),
	})
}

func backwardCPU(d *host.CPU, s size, m engine.Mask, v, alpha, beta, norm, gy, gv, galpha, gbeta, work engine.Tensor, add bool) {
	C.avcu_shift_backward((*C.avcu_pool)(d.Pool()), C.struct_avcu_shift{
		mask: maskOf(m), B: C.long(s.b), C: C.long(s.units), D: C.long(s.d),
		v: pointer(v), alpha: pointer(alpha), beta: pointer(beta), norm: pointer(norm), gy: pointer(gy), ldy: C.long(gy.LD()),
		gv: pointer(gv), galpha: pointer(galpha), gbeta: pointer(gbeta), work: pointer(work), add: flag(add),
	})
}

func pointer(t engine.Tensor) *C.float { return (*C.float)(t.Buffer().Host()) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

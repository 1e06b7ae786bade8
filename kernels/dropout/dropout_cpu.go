//go:build cgo

package dropout

/*
#cgo CFLAGS: -std=c17 -O3
#include "dropout.h"
*/
import "C"

import (
	"avcu/engine"
	"avcu/engine/host"
)

func applyCPU(d *host.CPU, m engine.Mask, x, y engine.Tensor, add bool) {
	mask := C.struct_avcu_mask{
		otherwise: C.float(1 - m.Rate), threshold: C.uint32_t(engine.DropThreshold(m.Rate)),
		key0: C.uint32_t(m.Seed), key1: C.uint32_t(m.Seed >> 32), step: C.uint32_t(m.Step), layer: C.uint32_t(m.Layer),
		first: C.uint32_t(m.First), column: C.uint32_t(m.Column), train: flag(m.Train),
	}
	if !m.Given.IsZero() {
		mask.given, mask.given_ld = (*C.uint8_t)(m.Given.Buffer().Host()), C.long(m.Given.LD())
	}
	C.avcu_dropout((*C.avcu_pool)(d.Pool()), mask, (*C.float)(x.Buffer().Host()), C.long(x.LD()),
		(*C.float)(y.Buffer().Host()), C.long(y.LD()), C.long(x.Rows()), C.long(x.Cols()), flag(add))
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

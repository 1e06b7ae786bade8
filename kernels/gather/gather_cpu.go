//go:build cgo

package gather

/*
#cgo CFLAGS: -std=c17 -O3
#include "gather.h"
*/
import "C"

import (
	"avcu/engine"
	"avcu/engine/host"
)

func runCPU(d *host.CPU, w Window, x, cols engine.Tensor, back, add bool) {
	s := C.struct_avcu_windows{
		batch: C.long(x.Dim(0)), h: C.long(x.Dim(1)), w: C.long(x.Dim(2)), c: C.long(x.Dim(3)), ld: C.long(x.LD()),
		oh: C.long(cols.Dim(1)), ow: C.long(cols.Dim(2)), ldcols: C.long(cols.LD()),
		kh: C.long(w.Height), kw: C.long(w.Width), stride: C.long(w.Stride), pad: C.long(w.Pad),
	}
	pool, px, pcols := (*C.avcu_pool)(d.Pool()), (*C.float)(x.Buffer().Host()), (*C.float)(cols.Buffer().Host())
	if !back {
		C.avcu_gather_columns(pool, s, px, pcols)
		return
	}
	var adds C.int
	if add {
		adds = 1
	}
	C.avcu_gather_back(pool, s, pcols, px, adds)
}

//go:build cgo

package colsum

/*
#cgo CFLAGS: -std=c17 -O3
#include "colsum.h"
*/
import "C"

import (
	"avcu/engine"
	"avcu/engine/host"
)

func runCPU(d *host.CPU, x, sum engine.Tensor, add bool) {
	var adds C.int
	if add {
		adds = 1
	}
	C.avcu_colsum((*C.avcu_pool)(d.Pool()), (*C.float)(x.Buffer().Host()), C.long(x.Rows()), C.long(x.Cols()),
		C.long(x.LD()), (*C.float)(sum.Buffer().Host()), adds)
}

//go:build cgo

package activation

/*
#cgo CFLAGS: -std=c17 -O3
#include "activation.h"
*/
import "C"

import (
	"avcu/engine"
	"avcu/engine/host"
)

func forwardCPU(d *host.CPU, k Kind, x, y engine.Tensor) {
	C.avcu_activation((*C.avcu_pool)(d.Pool()), C.int(k), C.long(x.Rows()), C.long(x.Cols()),
		(*C.float)(x.Buffer().Host()), C.long(x.LD()), (*C.float)(y.Buffer().Host()), C.long(y.LD()))
}

func backwardCPU(d *host.CPU, k Kind, y, gy, gx engine.Tensor, add bool) {
	var adds C.int
	if add {
		adds = 1
	}
	C.avcu_activation_gradient((*C.avcu_pool)(d.Pool()), C.int(k), C.long(y.Rows()), C.long(y.Cols()),
		(*C.float)(y.Buffer().Host()), C.long(y.LD()), (*C.float)(gy.Buffer().Host()), C.long(gy.LD()),
		(*C.float)(gx.Buffer().Host()), C.long(gx.LD()), adds)
}

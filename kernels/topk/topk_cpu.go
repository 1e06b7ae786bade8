//go:build cgo

package topk

/*
#cgo CFLAGS: -std=c17 -O3
#include "topk.h"
*/
import "C"

import (
	"avcu/engine"
	"avcu/engine/host"
)

func runCPU(d *host.CPU, p, values, classes engine.Tensor) {
	C.avcu_topk((*C.avcu_pool)(d.Pool()), (*C.float)(p.Buffer().Host()), C.long(p.Dim(0)), C.long(p.Dim(1)),
		C.long(p.LD()), C.long(values.Dim(1)), (*C.float)(values.Buffer().Host()), C.long(values.LD()),
		(*C.int32_t)(classes.Buffer().Host()), C.long(classes.LD()))
}

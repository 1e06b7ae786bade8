//go:build cgo

package dequantise

/*
#cgo CFLAGS: -std=c17 -O3
#cgo noescape avcu_dequantise
#cgo nocallback avcu_dequantise
#include "dequantise.h"
*/
import "C"

import (
	"avcu/engine"
	"avcu/engine/host"
)

func runCPU(d *host.CPU, q, x engine.Tensor, table *[256]float32) {
	C.avcu_dequantise((*C.avcu_pool)(d.Pool()), (*C.uint8_t)(q.Buffer().Host()), C.long(q.LD()), (*C.float)(x.Buffer().Host()),
		C.long(x.LD()), C.long(q.Rows()), C.long(q.Cols()), (*C.float)(&table[0]))
}

//go:build cgo

package softmaxce

/*
#cgo CFLAGS: -std=c17 -O3
#cgo noescape avcu_softmaxce
#cgo nocallback avcu_softmaxce
#include "softmaxce.h"
*/
import "C"

import (
	"avcu/engine"
	"avcu/engine/host"
)

func lossCPU(d *host.CPU, z, offsets, labels, each, gz engine.Tensor, scale float32) {
	var g *C.float
	if !gz.IsZero() {
		g = floats(gz)
	}
	C.avcu_softmaxce((*C.avcu_pool)(d.Pool()), C.long(z.Dim(0)), C.long(z.Dim(1)), floats(z), C.long(z.LD()),
		(*C.int32_t)(offsets.Buffer().Host()), (*C.int32_t)(labels.Buffer().Host()), floats(each), g, C.long(gz.LD()), C.float(scale))
}

func probCPU(d *host.CPU, z, p engine.Tensor) {
	C.avcu_softmax_prob((*C.avcu_pool)(d.Pool()), C.long(z.Dim(0)), C.long(z.Dim(1)), floats(z), C.long(z.LD()), floats(p), C.long(p.LD()))
}

func floats(t engine.Tensor) *C.float { return (*C.float)(t.Buffer().Host()) }

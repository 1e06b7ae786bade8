//go:build cgo

package attention

/*
#cgo CFLAGS: -std=c17 -O3
#include "attention.h"
*/
import "C"

import (
	"avcu/engine"
	"avcu/engine/host"
)

func forwardCPU(d *host.CPU, s size, x, w, c, a, v engine.Tensor) {
	j := job(s, x)
	j.a, j.v, j.ldv = pointer(a), pointer(v), C.long(v.LD())
	if !w.IsZero() {
		j.w, j.ldw, j.c = pointer(w), C.long(w.LD()), pointer(c)
	}
	C.avcu_attention_forward((*C.avcu_pool)(d.Pool()), j)
}

// backwardCPU computes the gradient of the scores unless gv is the zero Tensor, then it is given, and that
// of the weights unless gw is the zero Tensor.
func backwardCPU(d *host.CPU, s size, x, a, gv, gs, gw engine.Tensor, add bool) {
	j := job(s, x)
	j.gs = pointer(gs)
	if !gv.IsZero() {
		j.a, j.v, j.ldv = pointer(a), pointer(gv), C.long(gv.LD())
	}
	if !gw.IsZero() {
		j.g, j.ldg, j.add = pointer(gw), C.long(gw.LD()), flag(add)
	}
	C.avcu_attention_backward((*C.avcu_pool)(d.Pool()), j)
}

func backwardFeaturesCPU(d *host.CPU, s size, w, a, gs, gv, gx engine.Tensor, add bool) {
	j := job(s, engine.Tensor{})
	j.a, j.gs, j.v, j.ldv = pointer(a), pointer(gs), pointer(gv), C.long(gv.LD())
	j.g, j.ldg, j.add = pointer(gx), C.long(gx.LD()), flag(add)
	if !w.IsZero() {
		j.w, j.ldw = pointer(w), C.long(w.LD())
	}
	C.avcu_attention_features((*C.avcu_pool)(d.Pool()), j)
}

// job is the sizes, and the features if there are any.
func job(s size, x engine.Tensor) C.struct_avcu_attention {
	j := C.struct_avcu_attention{b: C.long(s.b), l: C.long(s.l), d: C.long(s.d), units: C.long(s.units)}
	if x.IsZero() {
		return j
	}
	j.ldx = C.long(x.LD())
	if x.Type() == engine.Uint8 {
		j.bytes = (*C.uint8_t)(x.Buffer().Host())
	} else {
		j.floats = pointer(x)
	}
	return j
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

func pointer(t engine.Tensor) *C.float { return (*C.float)(t.Buffer().Host()) }

//go:build cgo

package product

/*
#cgo CFLAGS: -std=c17 -O3
#cgo noescape avcu_product
#cgo nocallback avcu_product
#include "product.h"
*/
import "C"

import (
	"avcu/engine"
	"avcu/engine/host"
)

func runCPU(d *host.CPU, c Call, s sizes) {
	p := C.struct_avcu_product{
		a: pointer(c.A), b: pointer(c.B), c: pointer(c.C),
		m: C.long(s.m), n: C.long(s.n), k: C.long(s.k),
		lda: C.long(c.A.LD()), ldb: C.long(c.B.LD()), ldc: C.long(c.C.LD()),
		act: C.int(c.Act), bias: pointer(c.Bias), y: pointer(c.Y), ldy: C.long(c.Y.LD()),
	}
	if d.BF16() {
		p.bf16 = 1
	}
	if c.TransA {
		p.transa = 1
	}
	if c.TransB {
		p.transb = 1
	}
	switch o := c.Sink.Step; {
	case o != nil:
		p.sink = C.AVCU_STEP
		p.m1, p.m2 = pointer(o.M), pointer(o.V)
		p.rate, p.beta1, p.beta2, p.eps = C.double(o.Rate), C.double(o.Beta1), C.double(o.Beta2), C.double(o.Epsilon)
	case c.Sink.Add:
		p.sink = C.AVCU_ADD
	}
	C.avcu_product((*C.avcu_pool)(d.Pool()), &p)
}

func pointer(t engine.Tensor) *C.float {
	if t.IsZero() {
		return nil
	}
	return (*C.float)(t.Buffer().Host())
}

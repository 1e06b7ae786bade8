//go:build cgo

package adam

/*
#cgo CFLAGS: -std=c17 -O3
#cgo noescape avcu_adam
#cgo nocallback avcu_adam
#include "adam.h"
*/
import "C"

import (
	"avcu/engine"
	"avcu/engine/host"
)

func updateCPU(d *host.CPU, w, g engine.Tensor, s *engine.Step, scale engine.Tensor) {
	var by *C.float
	if !scale.IsZero() {
		by = (*C.float)(scale.Buffer().Host())
	}
	C.avcu_adam((*C.avcu_pool)(d.Pool()), (*C.float)(w.Buffer().Host()), (*C.float)(s.M.Buffer().Host()),
		(*C.float)(s.V.Buffer().Host()), (*C.float)(g.Buffer().Host()), C.long(w.Len()), by,
		C.double(s.Rate), C.double(s.Beta1), C.double(s.Beta2), C.double(s.Epsilon))
}

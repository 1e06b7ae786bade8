//go:build cgo

package norm

/*
#cgo CFLAGS: -std=c17 -O3
#include "norm.h"
*/
import "C"

import (
	"avcu/engine"
	"avcu/engine/host"
)

func runCPU(d *host.CPU, g, out engine.Tensor, clip float64) {
	C.avcu_norm((*C.avcu_pool)(d.Pool()), (*C.float)(g.Buffer().Host()), C.long(g.Len()),
		(*C.float)(out.Buffer().Host()), C.double(clip))
}

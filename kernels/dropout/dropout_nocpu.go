//go:build !cgo

package dropout

import (
	"avcu/engine"
	"avcu/engine/host"
)

func applyCPU(*host.CPU, engine.Mask, engine.Tensor, engine.Tensor, bool) {
	panic("dropout: a cpu device in a program without cgo")
}

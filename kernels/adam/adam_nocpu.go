//go:build !cgo

package adam

import (
	"avcu/engine"
	"avcu/engine/host"
)

func updateCPU(*host.CPU, engine.Tensor, engine.Tensor, *engine.Step, engine.Tensor) {
	panic("adam: a cpu device in a program without cgo")
}

//go:build !cgo

package shift

import (
	"avcu/engine"
	"avcu/engine/host"
)

const without = "shift: a cpu device in a program without cgo"

func forwardCPU(*host.CPU, size, engine.Mask, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor) {
	panic(without)
}

func backwardCPU(*host.CPU, size, engine.Mask, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, bool) {
	panic(without)
}

//go:build !cgo

package attention

import (
	"avcu/engine"
	"avcu/engine/host"
)

const without = "attention: a cpu device in a program without cgo"

func forwardCPU(*host.CPU, size, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor) {
	panic(without)
}

func backwardCPU(*host.CPU, size, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, bool) {
	panic(without)
}

func backwardFeaturesCPU(*host.CPU, size, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, bool) {
	panic(without)
}

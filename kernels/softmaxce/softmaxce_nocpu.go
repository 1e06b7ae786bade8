//go:build !cgo

package softmaxce

import (
	"avcu/engine"
	"avcu/engine/host"
)

const without = "softmaxce: a cpu device in a program without cgo"

func lossCPU(*host.CPU, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, engine.Tensor, float32) {
	panic(without)
}

func probCPU(*host.CPU, engine.Tensor, engine.Tensor) { panic(without) }

//go:build !cgo

package topk

import (
	"avcu/engine"
	"avcu/engine/host"
)

func runCPU(*host.CPU, engine.Tensor, engine.Tensor, engine.Tensor) {
	panic("topk: a cpu device in a program without cgo")
}

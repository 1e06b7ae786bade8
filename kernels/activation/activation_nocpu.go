//go:build !cgo

package activation

import (
	"avcu/engine"
	"avcu/engine/host"
)

func forwardCPU(*host.CPU, Kind, engine.Tensor, engine.Tensor) {
	panic("activation: a cpu device in a program without cgo")
}

func backwardCPU(*host.CPU, Kind, engine.Tensor, engine.Tensor, engine.Tensor, bool) {
	panic("activation: a cpu device in a program without cgo")
}

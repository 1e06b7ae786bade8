//go:build !cgo

package norm

import (
	"avcu/engine"
	"avcu/engine/host"
)

func runCPU(*host.CPU, engine.Tensor, engine.Tensor, float64) {
	panic("norm: a cpu device in a program without cgo")
}

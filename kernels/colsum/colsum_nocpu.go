//go:build !cgo

package colsum

import (
	"avcu/engine"
	"avcu/engine/host"
)

func runCPU(*host.CPU, engine.Tensor, engine.Tensor, bool) {
	panic("colsum: a cpu device in a program without cgo")
}

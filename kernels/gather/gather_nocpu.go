//go:build !cgo

package gather

import (
	"avcu/engine"
	"avcu/engine/host"
)

func runCPU(*host.CPU, Window, engine.Tensor, engine.Tensor, bool, bool) {
	panic("gather: a cpu device in a program without cgo")
}

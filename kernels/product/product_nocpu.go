//go:build !cgo

package product

import "avcu/engine/host"

func runCPU(*host.CPU, Call, sizes) { panic("product: a cpu device in a program without cgo") }

//go:build !cuda

package kerneltest

import (
	"testing"

	"avcu/engine"
)

// gpu is nil: these tests were built without CUDA.
func gpu(testing.TB) engine.Device { return nil }

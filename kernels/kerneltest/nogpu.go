//go:build !cuda

package kerneltest

import (
	"testing"

	"avcu/engine"
)

// GPUs is empty: these tests were built without CUDA.
func GPUs(testing.TB) []engine.Device { return nil }

//go:build cuda

package kerneltest

import (
	"testing"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/cuda/nvidia"
)

// GPUs opens the first CUDA device, without which tests that were built for one fail.
func GPUs(t testing.TB) []engine.Device {
	d, err := cuda.Open(nvidia.New(), cuda.Options{})
	if err != nil {
		t.Fatalf("these tests were built to run on a GPU: %v", err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return []engine.Device{d}
}

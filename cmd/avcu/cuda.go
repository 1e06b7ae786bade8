//go:build cuda

package main

import (
	"os"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/cuda/nvidia"
)

func openCUDA(index int) (engine.Device, error) {
	return cuda.Open(nvidia.New(), cuda.Options{Index: index, Checks: checkedCUDA()})
}

func cudaDevices() ([]cuda.Info, error) { return nvidia.New().Devices() }

// checkedCUDA reports that every launch is waited for and every tensor kept apart.
func checkedCUDA() bool {
	v := os.Getenv("AVCU_CUDA_SYNC")
	return v != "" && v != "0"
}

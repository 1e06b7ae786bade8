//go:build !cuda

package main

import (
	"errors"

	"avcu/engine"
	"avcu/engine/cuda"
)

var errNoCUDA = errors.New("this program was built without CUDA; make cuda builds bin/avcu-cuda, which has it, and needs an NVIDIA driver where it runs")

func openCUDA(int) (engine.Device, error) { return nil, errNoCUDA }

func cudaDevices() ([]cuda.Info, error) { return nil, errNoCUDA }

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
	"avcu/engine/ptx"
)

const deviceUsage = "auto, cpu, ref, emu (the CUDA kernels on a virtual machine) or cuda[:N]"

// openDevice makes the device that a name asks for.
func openDevice(name string, threads int) (engine.Device, error) {
	if threads < 0 {
		return nil, usagef("--threads %d: a number from 0 on, 0 for all cores", threads)
	}
	number, isCUDA := strings.CutPrefix(name, "cuda")
	switch {
	case name == "ref":
		return host.NewRef(), nil
	case name == "cpu":
		return host.NewCPU(host.Options{Threads: threads})
	case name == "emu":
		return cuda.Open(ptx.NewDriver(ptx.Options{Workers: threads}), cuda.Options{Name: "emu", Arch: "ptx", Checks: true})
	case name == "auto":
		return openBest(threads)
	case isCUDA:
		index := 0
		if number != "" {
			n, err := strconv.Atoi(strings.TrimPrefix(number, ":"))
			if err != nil || n < 0 || number[0] != ':' {
				return nil, usagef("device %q: want cuda or cuda:N with a number N", name)
			}
			index = n
		}
		return openCUDA(index)
	}
	return nil, usagef("unknown device %q; there are %s", name, deviceUsage)
}

// openBest opens the first CUDA device, where there is none the cpu, and in a program without cgo ref.
func openBest(threads int) (engine.Device, error) {
	if list, err := cudaDevices(); err == nil && len(list) > 0 {
		return openCUDA(0)
	}
	if cpu, err := host.NewCPU(host.Options{Threads: threads}); err == nil {
		return cpu, nil
	}
	return host.NewRef(), nil
}

func devicesCommand() *cli.Command {
	return &cli.Command{Name: "devices", Usage: "list what can compute here", Action: func(c *cli.Context) error {
		return listDevices(c.App.Writer)
	}}
}

func listDevices(w io.Writer) error {
	list, err := cudaDevices()
	for i, info := range list {
		fmt.Fprintf(w, "cuda:%d  %s\n", i, info)
	}
	switch {
	case err != nil:
		fmt.Fprintf(w, "cuda    none: %v\n", err)
	case len(list) == 0:
		fmt.Fprintln(w, "cuda    none: the driver lists no device")
	}
	if cpu, err := host.NewCPU(host.Options{}); err != nil {
		fmt.Fprintf(w, "cpu     none: %v\n", err)
	} else {
		fmt.Fprintf(w, "cpu     %s\n", cpu.Describe())
		if err := cpu.Close(); err != nil {
			return err
		}
	}
	fmt.Fprintln(w, "emu     the CUDA kernels on a virtual machine that checks every access; slow, for tests")
	_, err = fmt.Fprintf(w, "ref     %s\n", host.NewRef().Describe())
	return err
}

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

// deviceFlags say what computes.
func deviceFlags() []cli.Flag {
	return []cli.Flag{
		textFlag("device", deviceUsage, "auto"),
		numberFlag("threads", "worker threads; 0: all cores", 0),
		textFlag("precision", "of matrix products: fp32, or bf16 on cpu and ref (weights, sums and Adam stay fp32)", "fp32"),
	}
}

// deviceOf makes the device that a command's deviceFlags ask for.
func deviceOf(c *cli.Context) (engine.Device, error) {
	o := host.Options{Threads: c.Int("threads")}
	switch p := c.String("precision"); p {
	case "", "fp32":
	case "bf16":
		o.BF16 = true
	default:
		return nil, usagef("--precision %s: there are fp32 and bf16", p)
	}
	name := c.String("device")
	if use := c.String("use-gpu"); use != "" {
		gpu, err := strconv.ParseBool(use)
		if err != nil {
			return nil, usagef("--use_gpu %s: True or False", use)
		}
		if !gpu && !c.IsSet("device") {
			name = "cpu"
		}
	}
	return openDevice(name, o)
}

// openDevice makes the device that a name asks for.
func openDevice(name string, o host.Options) (engine.Device, error) {
	if o.Threads < 0 {
		return nil, usagef("--threads %d: a number from 0 on, 0 for all cores", o.Threads)
	}
	number, isCUDA := strings.CutPrefix(name, "cuda")
	switch {
	case name == "ref":
		return newRef(o), nil
	case name == "cpu":
		return host.NewCPU(o)
	case name == "auto":
		return openBest(o)
	case o.BF16 && (isCUDA || name == "emu"):
		return nil, usagef("--precision bf16: the CUDA kernels compute in fp32; bf16 is for --device cpu and ref")
	case name == "emu":
		return cuda.Open(ptx.NewDriver(ptx.Options{Workers: o.Threads}), cuda.Options{Name: "emu", Arch: "ptx", Checks: true})
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

// openBest opens the first CUDA device, where there is none or bf16 is asked for the cpu, and in a
// program without cgo ref.
func openBest(o host.Options) (engine.Device, error) {
	if list, err := cudaDevices(); err == nil && len(list) > 0 && !o.BF16 {
		return openCUDA(0)
	}
	if cpu, err := host.NewCPU(o); err == nil {
		return cpu, nil
	}
	return newRef(o), nil
}

func newRef(o host.Options) engine.Device {
	if o.BF16 {
		return host.NewRefBF16()
	}
	return host.NewRef()
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

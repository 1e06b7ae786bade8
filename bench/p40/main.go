// Command p40 tells what a training step at the published shape would cost on a Tesla P40, without
// one: it runs the step's kernels on the virtual machine, a few blocks of each grid, counts what they
// do, asks ptxas what they take, and prints a table. With -check it compares with a committed table
// and fails where registers, spills, sectors or bank conflicts got worse.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/model"
	"avcu/model/train"
	"avcu/ops"
)

func main() {
	kernels := flag.String("kernels", "kernels", "the folder of the kernels")
	blocks := flag.Int("blocks", 12, "pairs of neighbouring blocks of each grid that are run")
	batch := flag.Int("batch", 256, "videos")
	check := flag.String("check", "", "a table to compare with, such as docs/p40.json")
	out := flag.String("out", "", "where to write the table for -check")
	flag.Parse()
	if err := run(*kernels, *blocks, *batch, *check, *out); err != nil {
		fmt.Fprintln(os.Stderr, "p40:", err)
		os.Exit(1)
	}
}

func run(kernels string, blocks, batch int, check, out string) error {
	ptxas := tool("PTXAS", "ptxas")
	if ptxas == "" {
		return errors.New("there is no ptxas: name one of CUDA 12.x in PTXAS, or call this by make p40, which fetches it")
	}
	dir, err := os.MkdirTemp("", "p40")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	static, err := assemble(ptxas, kernels, dir)
	if err != nil {
		return err
	}
	shares := map[string]float64{}
	if nvdisasm := tool("NVDISASM", "nvdisasm"); nvdisasm != "" {
		if shares, err = mix(nvdisasm, dir); err != nil {
			return err
		}
	}
	step, forward, err := record(blocks, batch)
	if err != nil {
		return err
	}
	t := newTable(static, shares)
	t.add(fmt.Sprintf("training step, batch %d", batch), step)
	t.add(fmt.Sprintf("forward alone, batch %d", batch), forward)
	t.print(os.Stdout)
	if out != "" {
		if err := t.save(out); err != nil {
			return err
		}
	}
	if check != "" {
		return t.compare(check)
	}
	return nil
}

// published is the setting in which Attention Cluster is trained on the 2nd YouTube-8M release.
func published() model.Spec {
	return model.Spec{
		Modalities: []model.Modality{{Name: "rgb", Dim: 1024, Units: 32}, {Name: "audio", Dim: 128, Units: 32}},
		Frames:     100, Hidden: []int{1024, 4096}, Classes: 3862, Loss: ops.Sigmoid, DropRate: 0.5,
	}
}

// record runs one training step and one evaluation on the virtual machine and returns their launches.
func record(blocks, batch int) (step, forward []launch, err error) {
	r := newRecorder(blocks)
	dev, err := cuda.Open(r, cuda.Options{Name: "emu"})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, dev.Close()) }()
	spec := published()
	runner, err := train.NewRunner(dev, spec, train.Options{Batch: batch, Learn: true, TopK: 20})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, runner.Close()) }()
	b := &train.Batch{Offsets: []int32{0}}
	for _, m := range spec.Modalities {
		b.Features = append(b.Features, make([]byte, batch*spec.Frames*m.Dim))
	}
	for i := range batch {
		b.IDs = append(b.IDs, fmt.Sprint(i))
		b.Labels = append(b.Labels, int32(i), int32(i+batch), int32(i+2*batch)) // three a video, as on average
		b.Offsets = append(b.Offsets, int32(len(b.Labels)))
	}
	if _, err := runner.Step(b, 0, 1e-3, engine.Tensor{}); err != nil {
		return nil, nil, err
	}
	step, r.launches = r.launches, nil
	if err := runner.Forward(b); err != nil {
		return nil, nil, err
	}
	return step, r.launches, nil
}

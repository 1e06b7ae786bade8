package main

import (
	"fmt"
	"strconv"

	"avcu/engine"
	"avcu/io/safetensors"
	"avcu/model"
	"avcu/model/train"
)

// position is all that a checkpoint says besides tensors.
type position struct {
	train.State
	Total  int64   // steps of the whole training, where the learning rate falls linearly
	Best   float64 // best validation so far; below 0: none
	Arch   string  // what the bits depend on
	Config string  // YAML
}

func (p position) metadata() map[string]string {
	return map[string]string{
		"format": "avcu", "version": "1",
		"step": fmt.Sprint(p.Step), "epoch": fmt.Sprint(p.Epoch), "videos": fmt.Sprint(p.Videos), "total_steps": fmt.Sprint(p.Total),
		"best": strconv.FormatFloat(p.Best, 'g', -1, 64), "arch": p.Arch, "config": p.Config,
	}
}

func parsePosition(path string, m map[string]string) (position, error) {
	p := position{Arch: m["arch"], Config: m["config"], Best: -1}
	if m["format"] != "avcu" {
		return p, nil // weights of somebody else
	}
	var epoch int64
	for _, f := range []struct {
		key string
		to  *int64
	}{{"step", &p.Step}, {"epoch", &epoch}, {"videos", &p.Videos}, {"total_steps", &p.Total}} {
		n, err := strconv.ParseInt(m[f.key], 10, 64)
		if err != nil || n < 0 {
			return p, fmt.Errorf("%s: metadata %s is %q, not a number of steps or videos: the file is damaged", path, f.key, m[f.key])
		}
		*f.to = n
	}
	p.Epoch = int(epoch)
	best, err := strconv.ParseFloat(m["best"], 64)
	if err != nil {
		return p, fmt.Errorf("%s: metadata best is %q, not a number: the file is damaged", path, m["best"])
	}
	p.Best = best
	return p, nil
}

// writeCheckpoint writes weights, moments and position to one file, whole or not at all.
func writeCheckpoint(path string, d engine.Device, params *model.Params, p position) error {
	var tensors []safetensors.Tensor
	add := func(name string, shape []int, t engine.Tensor) {
		tensors = append(tensors, safetensors.Float32Rows(name, shape, func(row int, dst []float32) error {
			rows := len(dst) * t.Dim(0) / t.Len()
			return engine.Read(d, dst, t.Range(row, row+rows))
		}))
	}
	for _, q := range params.List {
		add(q.Name, q.Shape, q.Value)
		if !q.M.IsZero() {
			add(firstMoment+q.Name, q.Shape, q.M)
			add(secondMoment+q.Name, q.Shape, q.V)
		}
	}
	return safetensors.Write(path, tensors, p.metadata())
}

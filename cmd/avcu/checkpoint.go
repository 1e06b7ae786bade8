package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
			add("adam.m."+q.Name, q.Shape, q.M)
			add("adam.v."+q.Name, q.Shape, q.V)
		}
	}
	return safetensors.Write(path, tensors, p.metadata())
}

// weightsFile is the checkpoint that a path means: itself, or the best or last one of a run folder.
func weightsFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("weights: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	for _, name := range []string{"checkpoints/best.safetensors", "checkpoints/last.safetensors", "best.safetensors", "last.safetensors"} {
		file := filepath.Join(path, name)
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("weights: %s: a folder without a checkpoint (checkpoints/best.safetensors or last.safetensors)", path)
}

// openWeights opens a checkpoint and reads its position.
func openWeights(path string) (*safetensors.File, position, error) {
	file, err := weightsFile(path)
	if err != nil {
		return nil, position{}, err
	}
	if ok, err := safetensors.Is(file); err != nil {
		return nil, position{}, fmt.Errorf("weights: %w", err)
	} else if !ok {
		return nil, position{}, fmt.Errorf("weights: %s: not a safetensors file", file)
	}
	f, err := safetensors.Open(file)
	if err != nil {
		return nil, position{}, err
	}
	p, err := parsePosition(file, f.Metadata())
	if err != nil {
		return nil, p, errors.Join(err, f.Close())
	}
	return f, p, nil
}

// loadTensor reads one tensor of the file, which must have this shape.
func loadTensor(f *safetensors.File, path string, d engine.Device, name string, shape []int, to engine.Tensor) error {
	info, ok := f.Tensor(name)
	if !ok {
		return fmt.Errorf("weights: %s: there is no tensor %s; the configuration describes another model", path, name)
	}
	if fmt.Sprint(info.Shape) != fmt.Sprint(shape) {
		return fmt.Errorf("weights: %s: %s has shape %v and the configured model needs %v", path, name, info.Shape, shape)
	}
	data := make([]float32, to.Len())
	if err := f.ReadFloat32(name, data); err != nil {
		return err
	}
	return engine.Write(d, to, data)
}

// loadWeights reads all parameters, and with moments what Adam keeps of them.
func loadWeights(f *safetensors.File, path string, d engine.Device, params *model.Params, moments bool) error {
	for _, q := range params.List {
		if err := loadTensor(f, path, d, q.Name, q.Shape, q.Value); err != nil {
			return err
		}
		if !moments {
			continue
		}
		if err := loadTensor(f, path, d, "adam.m."+q.Name, q.Shape, q.M); err != nil {
			return err
		}
		if err := loadTensor(f, path, d, "adam.v."+q.Name, q.Shape, q.V); err != nil {
			return err
		}
	}
	return nil
}

// initFrom reads what parameters the file has in the right shape, and returns what it has not.
func initFrom(f *safetensors.File, d engine.Device, params *model.Params) (left []string, err error) {
	for _, q := range params.List {
		info, ok := f.Tensor(q.Name)
		switch {
		case !ok:
			left = append(left, q.Name+" (not in the file)")
		case fmt.Sprint(info.Shape) != fmt.Sprint(q.Shape):
			left = append(left, fmt.Sprintf("%s (%v there, %v here)", q.Name, info.Shape, q.Shape))
		default:
			if err := loadTensor(f, "", d, q.Name, q.Shape, q.Value); err != nil {
				return nil, err
			}
		}
	}
	return left, nil
}

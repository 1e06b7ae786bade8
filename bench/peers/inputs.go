package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"avcu/bench"
	"avcu/engine"
	"avcu/io/safetensors"
	"avcu/model"
	"avcu/model/train"
	"avcu/ops"
)

// What all sides are given: the same batches, taken in turn.
const (
	batchSize = 256
	batches   = 2
	rate      = 1e-3
	topK      = 20
)

// specOf is the model of a shape and the videos in a batch.
func specOf(shape string) (model.Spec, int, error) {
	if shape == "quick" {
		return model.Spec{
			Modalities: []model.Modality{{Name: "rgb", Dim: 24, Units: 4}, {Name: "audio", Dim: 8, Units: 3}},
			Frames:     7, Hidden: []int{16, 20}, Classes: 40, Loss: ops.Sigmoid, DropRate: 0.5,
		}, 32, nil
	}
	s, err := bench.Shape(shape)
	return s, batchSize, err
}

// batchesOf are the inputs of a shape.
func batchesOf(s model.Spec, n int) []*train.Batch {
	var list []*train.Batch
	for i := range batches {
		list = append(list, bench.Batch(s, n, uint64(i+1)))
	}
	return list
}

func inputsFile(dir, shape string) string  { return filepath.Join(dir, shape+"-inputs.safetensors") }
func weightsFile(dir, shape string) string { return filepath.Join(dir, shape+"-weights.safetensors") }

// description is what a peer must know of the model.
type description struct {
	Names                  []string
	Dims, Units, Hidden    []int
	Frames, Classes, Batch int
	Batches, TopK          int
	Softmax                bool
	DropRate, Rate         float64
	Beta1, Beta2, Epsilon  float64
}

// writeInputs writes inputs and initial weights for the peers.
func writeInputs(dir, shape string) (err error) {
	s, n, err := specOf(shape)
	if err != nil {
		return err
	}
	d := description{Hidden: append([]int{}, s.Hidden...), Frames: s.Frames, Classes: s.Classes, Batch: n, Batches: batches, TopK: topK, Softmax: s.Loss == ops.Softmax,
		DropRate: s.DropRate, Rate: rate, Beta1: train.Beta1, Beta2: train.Beta2, Epsilon: train.Epsilon}
	for _, m := range s.Modalities {
		d.Names, d.Dims, d.Units = append(d.Names, m.Name), append(d.Dims, m.Dim), append(d.Units, m.Units)
	}
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	var list []safetensors.Tensor
	for i, b := range batchesOf(s, n) {
		for m, q := range b.Features {
			list = append(list, safetensors.Tensor{Name: fmt.Sprintf("features.%d.%d", i, m), DType: safetensors.U8,
				Shape: []int{n, s.Frames, s.Modalities[m].Dim}, Data: func(w io.Writer) error {
					_, err := io.Copy(w, bytes.NewReader(q))
					return err
				}})
		}
		list = append(list, integers(fmt.Sprintf("offsets.%d", i), b.Offsets), integers(fmt.Sprintf("labels.%d", i), b.Labels))
	}
	if err := safetensors.Write(inputsFile(dir, shape), list, map[string]string{"model": string(text)}); err != nil {
		return err
	}
	r, dev, err := newRunner("avcu", s, train.Options{Batch: n, TopK: topK})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close(), dev.Close()) }()
	if err := r.Params.Initialise(1); err != nil {
		return err
	}
	list = nil
	for _, q := range r.Params.List {
		list = append(list, safetensors.Float32Rows(q.Name, q.Shape, func(row int, dst []float32) error {
			return engine.Read(dev, dst, q.Value.Range(row, row+len(dst)*q.Value.Dim(0)/q.Value.Len()))
		}))
	}
	return safetensors.Write(weightsFile(dir, shape), list, nil)
}

func integers(name string, values []int32) safetensors.Tensor {
	return safetensors.Tensor{Name: name, DType: safetensors.I32, Shape: []int{len(values)}, Data: func(w io.Writer) error {
		return binary.Write(w, binary.LittleEndian, values)
	}}
}

// loadWeights gives the runner the initial weights.
func loadWeights(r *train.Runner, d engine.Device, path string) (err error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, q := range r.Params.List {
		values := make([]float32, q.Value.Len())
		if err := f.ReadFloat32(q.Name, values); err != nil {
			return err
		}
		if err := engine.Write(d, q.Value, values); err != nil {
			return err
		}
	}
	return nil
}

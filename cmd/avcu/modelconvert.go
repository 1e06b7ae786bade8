package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"avcu/io/npy"
	"avcu/io/paddle"
	"avcu/io/safetensors"
	"avcu/model/config"
	"avcu/model/train"
)

func runModelConvert(c *cli.Context) (err error) {
	if c.NArg() != 2 {
		return usagef("avcu model convert SRC DST --to FORM takes what to read and what to write")
	}
	dst, to := c.Args().Get(1), c.String("to")
	write, ok := map[string]func(*weights, *config.Config, string) error{
		"safetensors": toSafetensors, "npz": toNPZ, "pdparams": toPDParams, "paddle-dir": toPaddleDir, "paddle-combined": toPaddleCombined,
	}[to]
	if !ok {
		return usagef("--to %q: safetensors, pdparams, paddle-dir, paddle-combined or npz", to)
	}
	w, cfg, err := openModel(c, c.Args().First())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if w.nameless {
		return fmt.Errorf("model convert: %s holds no names of its tensors: give the --config of the model that it was saved from", w.path)
	}
	if err := readyFolder(filepath.Dir(filepath.Clean(dst))); err != nil {
		return fmt.Errorf("model convert: %w", err)
	}
	if err := write(w, cfg, dst); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.ErrWriter, "%s: %d tensors of %s (%s)\n", dst, len(w.list), w.path, w.form)
	return err
}

// tensors are all tensors as safetensors and NumPy's archives hold them.
func (w *weights) tensors() ([]safetensors.Tensor, error) {
	var list []safetensors.Tensor
	for _, t := range w.list {
		of := safetensors.DType("")
		for dtype, name := range numpyTypes {
			if name == t.Type {
				of = dtype
			}
		}
		if of == "" {
			return nil, fmt.Errorf("%s: tensor %s is of type %s, which cannot be converted", w.path, t.Name, t.Type)
		}
		list = append(list, safetensors.Tensor{Name: t.Name, DType: of, Shape: t.Shape, Data: w.raw(t.Name)})
	}
	return list, nil
}

// toSafetensors writes a checkpoint. With the optimiser's state a training can go on from it.
func toSafetensors(w *weights, cfg *config.Config, dst string) error {
	list, err := w.tensors()
	if err != nil {
		return err
	}
	at := w.at
	if !w.own && cfg != nil {
		at.Config = cfg.YAML()
	}
	return safetensors.Write(dst, list, at.metadata())
}

func toNPZ(w *weights, _ *config.Config, dst string) error {
	list, err := w.tensors()
	if err != nil {
		return err
	}
	return npy.Write(dst, list)
}

// toPDParams writes parameters to dst, and the optimiser's state, if there is any, beside it.
func toPDParams(w *weights, cfg *config.Config, dst string) error {
	params, state := w.paddle(cfg)
	if len(state) > 0 {
		if err := paddle.WritePickle(strings.TrimSuffix(dst, ".pdparams")+".pdopt", state); err != nil {
			return err
		}
	}
	return paddle.WritePickle(dst, params)
}

func toPaddleDir(w *weights, cfg *config.Config, dst string) error {
	params, state := w.paddle(cfg)
	return paddle.WriteFolder(dst, append(params, state...))
}

func toPaddleCombined(w *weights, cfg *config.Config, dst string) error {
	params, state := w.paddle(cfg)
	return paddle.WriteCombined(dst, append(params, state...))
}

// paddle is the parameters and the optimiser's state under the names that Paddle gives them.
func (w *weights) paddle(cfg *config.Config) (params, state []paddle.Tensor) {
	_, rate := w.place[paddle.Join("", paddle.LearningRate)]
	for _, t := range w.list {
		p := paddle.Tensor{Name: t.Name, DType: paddle.DType(t.Type), Shape: t.Shape, Data: w.raw(t.Name)}
		if of, ok := strings.CutPrefix(t.Name, firstMoment); ok {
			p.Name = paddle.Join(of, paddle.Moment1)
			state = append(state, p, power(of, paddle.Beta1Pow, train.Beta1, w.at.Step), power(of, paddle.Beta2Pow, train.Beta2, w.at.Step))
		} else if of, ok := strings.CutPrefix(t.Name, secondMoment); ok {
			p.Name = paddle.Join(of, paddle.Moment2)
			state = append(state, p)
		} else if _, kind := paddle.Split(t.Name); kind != paddle.Parameter {
			state = append(state, p)
		} else {
			params = append(params, p)
		}
	}
	if len(state) > 0 && !rate && cfg != nil {
		state = append(state, paddle.FromFloat32(paddle.Join("", paddle.LearningRate), []int{1}, []float32{float32(cfg.Train.LearningRate)}))
	}
	return params, state
}

// power is the tensor of a power of one of Adam's betas.
func power(of string, kind paddle.Kind, beta float32, steps int64) paddle.Tensor {
	return paddle.FromFloat32(paddle.Join(of, kind), []int{1}, []float32{paddle.Power(beta, steps)})
}

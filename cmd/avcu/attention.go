package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/io/flashmnist"
	"avcu/io/yt8m"
	"avcu/model/config"
	"avcu/model/train"
)

// attentionWeights fills in the weights that each unit of the model gives the frames of the panels'
// videos, which are among the test videos in data.
func attentionWeights(c *cli.Context, weights, data string, list []flashmnist.Panel) (err error) {
	w, cfg, err := openWeights(c, weights, func(stored string) (*config.Config, error) {
		cfg := config.New()
		return cfg, cfg.Parse([]byte(stored), "stored with the weights")
	})
	if err != nil {
		return err
	}
	defer w.Close()
	dev, err := openDevice("auto", host.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dev.Close()) }()
	const batch = 256
	r, err := train.NewRunner(dev, specOf(cfg.Model), train.Options{Batch: batch, TopK: 1, Infer: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := w.load(dev, r.Params, false); err != nil {
		return err
	}
	files, err := yt8m.Files([]string{filepath.Join(data, "test-*")}, nil)
	if err != nil {
		return err
	}
	src, err := yt8m.NewSource(yt8m.Config{Files: files, FeatureNames: cfg.Model.FeatureNames, FeatureDims: cfg.Model.FeatureDims,
		Frames: cfg.Model.SegNum, BatchSize: batch})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	a := r.Eval.Attention[0]
	all, first, found := make([]float32, a.Len()), 0, 0
	if err := src.Start(0, 0); err != nil {
		return err
	}
	for {
		features, offsets, labels, names, err := src.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		b := &train.Batch{Features: features, Offsets: offsets, Labels: labels, IDs: names}
		if err := r.Forward(b); err != nil {
			return err
		}
		n := len(names)
		size := a.Dim(1) * a.Dim(2)
		if err := engine.Read(dev, all[:n*size], a.Prefix(n)); err != nil {
			return err
		}
		for i, id := range names {
			for k := range list {
				if list[k].ID == id {
					list[k].Weights = append([]float32(nil), all[i*size:(i+1)*size]...)
					found++
				}
			}
		}
		first += n
	}
	if found != len(list) {
		return fmt.Errorf("demo: %d of %d videos found in %s among %d", found, len(list), data, first)
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"avcu/io/yt8m"
	"avcu/io/yt8m/synth"
)

func shardsDir(dir, shape string) string { return filepath.Join(dir, shape+"-shards") }

// writeShards writes made-up shards of a shape: 40 times what a step takes of videos of YouTube-8M's length
// would be 1 GB; four batches are enough to time readers.
func writeShards(dir, shape string) error {
	s, n, err := specOf(shape)
	if err != nil {
		return err
	}
	o := synth.Options{Dir: shardsDir(dir, shape), Videos: int64(4 * n), Shards: 4, Classes: s.Classes}
	for _, m := range s.Modalities {
		o.Features = append(o.Features, synth.Feature{Name: m.Name, Dim: m.Dim})
	}
	_, err = synth.Write(context.Background(), o)
	return err
}

// readShards times TFRecords to batches of frames from the middle of each stretch, checksums verified, in
// processor seconds of all threads. The checksum adds all bytes and labels delivered.
func readShards(e *json.Encoder, dir, shape string) (err error) {
	s, n, err := specOf(shape)
	if err != nil {
		return err
	}
	files, err := yt8m.Files([]string{shardsDir(dir, shape)}, nil)
	if err != nil {
		return err
	}
	size := int64(0)
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		size += info.Size()
	}
	cfg := yt8m.Config{Files: files, Frames: s.Frames, Classes: s.Classes, BatchSize: n, Readers: 1}
	for _, m := range s.Modalities {
		cfg.FeatureNames, cfg.FeatureDims = append(cfg.FeatureNames, m.Name), append(cfg.FeatureDims, m.Dim)
	}
	src, err := yt8m.NewSource(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	sum := int64(0)
	pass := func(look func(features [][]byte, labels []int32)) error {
		if err := src.Start(0, 0); err != nil {
			return err
		}
		for {
			features, _, labels, _, err := src.Next()
			if errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			look(features, labels)
		}
	}
	err = pass(func(features [][]byte, labels []int32) { // also brings the files into memory
		for _, q := range features {
			for _, v := range q {
				sum += int64(v)
			}
		}
		for _, l := range labels {
			sum += int64(l)
		}
	})
	if err != nil {
		return err
	}
	const passes = 3
	before := processorSeconds()
	for range passes {
		if err := pass(func([][]byte, []int32) {}); err != nil {
			return err
		}
	}
	return e.Encode(line{Bytes: passes * float64(size), CPU: processorSeconds() - before, Checksum: sum})
}

// processorSeconds is the time that all threads of this process have run.
func processorSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(fmt.Sprint("getrusage: ", err))
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + 1e-6*float64(t.Usec) }
	return seconds(u.Utime) + seconds(u.Stime)
}

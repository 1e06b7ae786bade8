package flashmnist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Extract computes the features [n, width] of n images [n, 784], each a pure function of its image. It is called by one
// goroutine at a time, while others make the images of the next call.
type Extract func(images []uint8, n int, features []float32) error

// FeatureName is the feature list that the features are stored as.
const FeatureName = "digits"

// Options says what Write writes. Zero stands for the value in brackets.
type Options struct {
	Dir           string  // folder, made if it is not there
	Extract       Extract // the feature network
	Width         int     // features a frame [50]
	TrainPerClass int     // training videos a class [100]
	TestPerClass  int     // test videos a class [10]
	TrainShards   int     // files the training videos are cut into [16]
	TestShards    int     // the same of the test videos [2]
	Calibration   int     // training videos whose features fix the scale [2,048, or all]
	Block         int     // videos an extractor's call [64]
	Workers       int     // goroutines that make videos [the number of processors]

	Progress func(done, total int) // called after each block with the videos written, if not nil
}

// Report is what Write did.
type Report struct {
	TrainVideos, TestVideos int
	Files                   []string // the shards
	Bytes                   int64    // size of the shards
	Scale                   *Scale
	Values                  int64 // features written
	Clipped                 int64 // those among them that lay outside the scale's range
}

// Write makes the whole data set: TFRecord shards train-000.tfrecord … and test-000.tfrecord … with the feature list
// "digits" and one label a video, then LabelsFile, TruthFile and DescriptionFile. Ids count from train-000000 and
// test-000000. It refuses a folder that holds such shards already. On an error, or when ctx ends, no shard remains.
func Write(ctx context.Context, s *Source, o Options) (*Report, error) {
	train, test, err := o.complete(s)
	if err != nil {
		return nil, err
	}
	if err := prepare(o.Dir); err != nil {
		return nil, err
	}
	w := &writer{Options: o, total: train.Len() + test.Len()}
	w.features = make([]float32, o.Block*Frames*o.Width)
	w.codes = make([]uint8, len(w.features))
	w.report.TrainVideos, w.report.TestVideos = train.Len(), test.Len()

	if err := w.run(ctx, s, train, test); err != nil {
		for _, name := range w.report.Files {
			os.Remove(name)
		}
		return nil, err
	}
	return &w.report, nil
}

// complete puts in what is left open, and checks the rest.
func (o *Options) complete(s *Source) (train, test *Videos, err error) {
	for _, field := range []struct {
		name  string
		value *int
		usual int
	}{
		{"Width", &o.Width, 50}, {"TrainPerClass", &o.TrainPerClass, 100}, {"TestPerClass", &o.TestPerClass, 10},
		{"TrainShards", &o.TrainShards, 16}, {"TestShards", &o.TestShards, 2}, {"Calibration", &o.Calibration, 2048},
		{"Block", &o.Block, 64}, {"Workers", &o.Workers, runtime.GOMAXPROCS(0)},
	} {
		if *field.value == 0 {
			*field.value = field.usual
		}
		if *field.value < 1 || *field.value > maxVideos {
			return nil, nil, fmt.Errorf("flashmnist: write: %s is %d, want 1 to %d", field.name, *field.value, maxVideos)
		}
	}
	if o.Extract == nil {
		return nil, nil, errors.New("flashmnist: write: no feature network is given")
	}
	if train, err = s.Videos(Train, o.TrainPerClass); err != nil {
		return nil, nil, err
	}
	if test, err = s.Videos(Test, o.TestPerClass); err != nil {
		return nil, nil, err
	}
	o.Calibration = min(o.Calibration, train.Len())
	o.Block = min(o.Block, max(train.Len(), test.Len()))
	o.TrainShards, o.TestShards = min(o.TrainShards, train.Len()), min(o.TestShards, test.Len())
	return train, test, nil
}

// prepare makes the folder, in which no shards may lie.
func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("flashmnist: write: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("flashmnist: write: %w", err)
	}
	for _, entry := range entries {
		for _, split := range []Split{Train, Test} {
			if old, err := filepath.Match(split.String()+"-*.tfrecord", entry.Name()); err == nil && old {
				return fmt.Errorf("flashmnist: write: %s: %w: shards of another run would mix with the new ones, "+
					"remove them or choose another folder", filepath.Join(dir, entry.Name()), os.ErrExist)
			}
		}
	}
	return nil
}

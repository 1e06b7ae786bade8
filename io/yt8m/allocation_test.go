package yt8m_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"testing"

	"avcu/io/tfrecord"
	"avcu/io/yt8m"
	"avcu/io/yt8m/synth"
)

// What an epoch allocates is for its files and batches: nothing for each record.
func TestReadingAllocatesNothing(t *testing.T) {
	files, err := synth.Write(context.Background(), synth.Options{Dir: t.TempDir(), Videos: 4000, Shards: 2,
		Features: []synth.Feature{{Name: "rgb", Dim: 16}, {Name: "audio", Dim: 8}}, MinFrames: 2, MaxFrames: 4})
	if err != nil {
		t.Fatal(err)
	}
	for form, names := range map[string][]string{"plain": files, "gzip": zip(t, files)} {
		for _, train := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/shuffled=%v", form, train), func(t *testing.T) {
				s, err := yt8m.NewSource(yt8m.Config{Files: names, FeatureNames: []string{"rgb", "audio"}, FeatureDims: []int{16, 8},
					Frames: 3, BatchSize: 200, Shuffle: train, RandomSampling: train})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				for number := range 6 { // every slot of every batch has met a video with many labels
					epoch(t, s, number)
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				videos := epoch(t, s, 6)
				runtime.ReadMemStats(&after)
				if n := after.Mallocs - before.Mallocs; videos != 4000 || n > 400 {
					t.Errorf("an epoch of %d videos allocates %d times", videos, n)
				}
			})
		}
	}
}

// epoch reads one epoch and returns the number of its videos.
func epoch(t testing.TB, s *yt8m.Source, number int) (videos int) {
	t.Helper()
	if err := s.Start(number, 0); err != nil {
		t.Fatal(err)
	}
	for {
		_, _, _, ids, err := s.Next()
		if err == io.EOF {
			return videos
		}
		if err != nil {
			t.Fatal(err)
		}
		videos += len(ids)
	}
}

// zip writes files again, compressed.
func zip(t testing.TB, files []string) (zipped []string) {
	t.Helper()
	dir := t.TempDir()
	for i, name := range files {
		to := filepath.Join(dir, fmt.Sprintf("%d.tfrecord.gz", i))
		if err := copyRecords(to, name); err != nil {
			t.Fatal(err)
		}
		zipped = append(zipped, to)
	}
	return zipped
}

func copyRecords(to, from string) error {
	r, err := tfrecord.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := tfrecord.Create(to, true)
	if err != nil {
		return err
	}
	for {
		data, err := r.Next()
		if err == io.EOF {
			return w.Close()
		}
		if err == nil {
			err = w.Write(data)
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
	}
}

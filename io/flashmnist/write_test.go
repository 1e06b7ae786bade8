package flashmnist

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"avcu/io/yt8m"

	"github.com/google/go-cmp/cmp"
)

const width = 5

func madeOptions(dir string) Options {
	return Options{Dir: dir, Extract: madeExtract(width), Width: width, TrainPerClass: 1, TestPerClass: 1,
		TrainShards: 3, TestShards: 1, Calibration: 100, Block: 50, Workers: 2}
}

// TestWrite reads back all that Write writes, and compares it with what the videos are.
func TestWrite(t *testing.T) {
	s := madeSource(t, 6)
	o := madeOptions(filepath.Join(t.TempDir(), "new", "folder"))
	last, calls := 0, 0
	o.Progress = func(done, total int) {
		if calls++; done <= last || done > total || total != 2*Classes {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}
	report, err := Write(context.Background(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	if last != 2*Classes {
		t.Errorf("progress ends at %d", last)
	}

	var names []string
	var size, values, clipped int64
	for _, split := range []Split{Train, Test} {
		videos, err := s.Videos(split, 1)
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(o.Dir, split.String()+"-*.tfrecord"))
		if err != nil {
			t.Fatal(err)
		}
		if want := map[Split]int{Train: 3, Test: 1}[split]; len(files) != want {
			t.Fatalf("%s: files %v, want %d", split, files, want)
		}
		names = append(names, files...)
		number := 0
		images, features := make([]uint8, Frames*Pixels), make([]float32, Frames*width)
		codes := make([]uint8, len(features))
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			size += info.Size()
			before := number
			for _, got := range read(t, file) {
				videos.Make(number, images)
				if err := o.Extract(images, Frames, features); err != nil {
					t.Fatal(err)
				}
				n, err := report.Scale.Quantise(codes, features)
				if err != nil {
					t.Fatal(err)
				}
				clipped += int64(n)
				values += int64(len(codes))
				want := record{ID: videos.ID(number), Labels: []int32{int32(videos.Class(number))}, Codes: codes}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%s differs (-want +got):\n%s", want.ID, diff)
				}
				number++
			}
			if n := number - before; n < Classes/len(files) || n > Classes/len(files)+1 {
				t.Errorf("%s holds %d videos of %d in %d files", file, n, Classes, len(files))
			}
		}
		if number != Classes {
			t.Errorf("%s: %d videos, want %d", split, number, Classes)
		}
	}
	want := &Report{TrainVideos: Classes, TestVideos: Classes, Files: names, Bytes: size, Scale: report.Scale, Values: values, Clipped: clipped}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Errorf("report differs (-want +got):\n%s", diff)
	}
	if share := float64(clipped) / float64(values); share == 0 || share > 0.08 {
		t.Errorf("%.2f %% clipped, want about the 4 %% beyond two standard deviations, 8 %% at most", 100*share)
	}
	checkTexts(t, s, o, report)
}

// checkTexts compares the files beside the shards.
func checkTexts(t *testing.T, s *Source, o Options, report *Report) {
	t.Helper()
	labels, err := os.ReadFile(filepath.Join(o.Dir, LabelsFile))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(labels), "\n"), "\n")
	if len(lines) != Classes || lines[0] != "none" || lines[5] != "0 2" || lines[1022] != "1 2 3 4 5 6 7 8 9" {
		t.Errorf("%d labels, such as %q", len(lines), lines[:6])
	}

	videos, err := s.Videos(Test, 1)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(o.Dir, TruthFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	scan, i := bufio.NewScanner(file), 0
	for ; scan.Scan(); i++ {
		var got Truth
		if err := json.Unmarshal(scan.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Truth{ID: videos.ID(i), Class: videos.Class(i), Frames: videos.Truth(i)}, got); diff != "" {
			t.Fatalf("truth %d differs (-want +got):\n%s", i, diff)
		}
	}
	if i != Classes {
		t.Errorf("%d lines of truth, want %d", i, Classes)
	}

	description, err := ReadDescription(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	want := &Description{Seed: 6, TrainPerClass: 1, TestPerClass: 1, Width: width, Scale: report.Scale, Values: report.Values, Clipped: report.Clipped}
	if diff := cmp.Diff(want, description); diff != "" {
		t.Errorf("description differs (-want +got):\n%s", diff)
	}
}

type record struct {
	ID     string
	Labels []int32
	Codes  []uint8
}

func read(t *testing.T, file string) (records []record) {
	t.Helper()
	r, err := yt8m.Open(file, yt8m.Spec{Names: []string{FeatureName}, Dims: []int{width}, Classes: Classes})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		v, err := r.Next()
		if err == io.EOF {
			return records
		} else if err != nil {
			t.Fatal(err)
		}
		records = append(records, record{ID: string(v.ID), Labels: append([]int32(nil), v.Labels...), Codes: bytes.Join(v.Rows[0], nil)})
	}
}

// TestWriteSame: the files do not depend on blocks and workers, and do on the seed.
func TestWriteSame(t *testing.T) {
	all := func(seed uint64, block, workers int) (data []byte) {
		o := madeOptions(t.TempDir())
		o.Block, o.Workers = block, workers
		if _, err := Write(context.Background(), madeSource(t, seed), o); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(o.Dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			part, err := os.ReadFile(filepath.Join(o.Dir, file.Name()))
			if err != nil {
				t.Fatal(err)
			}
			data = append(append(data, file.Name()...), part...)
		}
		return data
	}
	base := all(1, 50, 1)
	if !bytes.Equal(base, all(1, 77, 5)) {
		t.Error("other blocks and workers write other files")
	}
	if bytes.Equal(base, all(2, 50, 1)) {
		t.Error("another seed writes the same files")
	}
}

// TestWriteFails: no shard remains of a run that failed, wherever it did.
func TestWriteFails(t *testing.T) {
	broken := errors.New("broken")
	for _, row := range []struct {
		name string
		call int // of the extractor: 2 of calibration, 21 of training, 21 of testing
		fail func(features []float32) error
		want string
	}{
		{"calibration", 1, func([]float32) error { return broken }, "features of videos train-000050 to train-000099: broken"},
		{"train", 9, func([]float32) error { return broken }, "features of videos train-000350 to train-000399: broken"},
		{"test", 24, func([]float32) error { return broken }, "features of videos test-000050 to test-000099: broken"},
		{"not a number", 9, func(f []float32) error { f[3*width+1] = float32(math.NaN()); return nil },
			"videos from train-000350: flashmnist: quantise: feature 1 of frame 3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := madeOptions(t.TempDir())
			extract, call := o.Extract, 0
			o.Extract = func(images []uint8, n int, features []float32) error {
				if err := extract(images, n, features); err != nil {
					return err
				}
				if call++; call-1 == row.call {
					return row.fail(features)
				}
				return nil
			}
			_, err := Write(context.Background(), madeSource(t, 1), o)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want %q", err, row.want)
			}
			left, err := os.ReadDir(o.Dir)
			if err != nil || len(left) != 0 {
				t.Errorf("remains: %v, error %v", left, err)
			}
		})
	}

	t.Run("interrupted", func(t *testing.T) {
		o := madeOptions(t.TempDir())
		ctx, cancel := context.WithCancel(context.Background())
		o.Progress = func(done, total int) { cancel() }
		if _, err := Write(ctx, madeSource(t, 1), o); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that of the context", err)
		}
		if left, err := os.ReadDir(o.Dir); err != nil || len(left) != 0 {
			t.Errorf("remains: %v, error %v", left, err)
		}
	})

	t.Run("old shards", func(t *testing.T) {
		o := madeOptions(t.TempDir())
		old := filepath.Join(o.Dir, "test-007.tfrecord")
		if err := os.WriteFile(old, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Write(context.Background(), madeSource(t, 1), o); !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), old) {
			t.Errorf("error %v, want one that names %s", err, old)
		}
	})

	t.Run("options", func(t *testing.T) {
		for _, change := range []func(*Options){
			func(o *Options) { o.Extract = nil }, func(o *Options) { o.Width = -1 }, func(o *Options) { o.TrainPerClass = 1 << 40 },
		} {
			o := madeOptions(t.TempDir())
			change(&o)
			if _, err := Write(context.Background(), madeSource(t, 1), o); err == nil {
				t.Errorf("no error for %+v", o)
			}
		}
	})
	if _, err := ReadDescription(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v of a folder without a description", err)
	}
}

package flashmnist

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"avcu/io/tfrecord"
	"avcu/io/yt8m"
)

// writer is a Write under way.
type writer struct {
	Options
	report      Report
	done, total int       // videos
	features    []float32 // of one block [n, 25, width]
	codes       []uint8   // the same as bytes
}

// extract computes the features of a block.
func (w *writer) extract(v *Videos, b *block) ([]float32, error) {
	n := b.videos * Frames
	features := w.features[:n*w.Width]
	if err := w.Extract(b.images, n, features); err != nil {
		return nil, fmt.Errorf("flashmnist: features of videos %s to %s: %w", v.ID(b.first), v.ID(b.first+b.videos-1), err)
	}
	return features, nil
}

// calibrate fixes the scale by the first training videos.
func (w *writer) calibrate(ctx context.Context, v *Videos) error {
	var all []float32
	err := v.blocks(ctx, w.Calibration, w.Block, w.Workers, func(b *block) error {
		features, err := w.extract(v, b)
		all = append(all, features...)
		return err
	})
	if err != nil {
		return err
	}
	w.report.Scale, err = Calibrate(all, w.Width)
	return err
}

// run makes every file.
func (w *writer) run(ctx context.Context, s *Source, train, test *Videos) error {
	if err := w.calibrate(ctx, train); err != nil {
		return err
	}
	if err := w.split(ctx, train, w.TrainShards); err != nil {
		return err
	}
	if err := w.split(ctx, test, w.TestShards); err != nil {
		return err
	}
	for _, name := range w.report.Files {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("flashmnist: write: %w", err)
		}
		w.report.Bytes += info.Size()
	}
	return w.writeTexts(s)
}

// split writes the videos of a split into equal shards, one after another.
func (w *writer) split(ctx context.Context, v *Videos, shards int) error {
	out := &shardWriter{dir: w.Dir, split: v.split, shards: shards, videos: v.Len(), encoder: yt8m.NewEncoder([]string{FeatureName})}
	defer func() {
		if out.open != nil {
			out.open.Abort()
		}
		w.report.Files = append(w.report.Files, out.files...)
	}()
	video := yt8m.Video{Labels: make([]int32, 1), Frames: Frames, Rows: [][][]byte{make([][]byte, Frames)}}
	err := v.blocks(ctx, v.Len(), w.Block, w.Workers, func(b *block) error {
		features, err := w.extract(v, b)
		if err != nil {
			return err
		}
		codes := w.codes[:len(features)]
		clipped, err := w.report.Scale.Quantise(codes, features)
		if err != nil {
			return fmt.Errorf("flashmnist: videos from %s: %w", v.ID(b.first), err)
		}
		w.report.Clipped += int64(clipped)
		w.report.Values += int64(len(codes))
		for i := range b.videos {
			number := b.first + i
			video.ID = append(video.ID[:0], v.ID(number)...)
			video.Labels[0] = int32(v.Class(number))
			for frame := range Frames {
				at := (i*Frames + frame) * w.Width
				video.Rows[0][frame] = codes[at : at+w.Width]
			}
			if err := out.write(number, &video); err != nil {
				return err
			}
		}
		w.done += b.videos
		if w.Progress != nil {
			w.Progress(w.done, w.total)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return out.close()
}

// shardWriter cuts the videos of a split into files.
type shardWriter struct {
	dir            string
	split          Split
	shards, videos int
	encoder        *yt8m.Encoder
	record         []byte
	open           *tfrecord.Writer
	files          []string // the finished ones, and the open one
}

// write appends video number, the one after the last, to its shard.
func (s *shardWriter) write(number int, video *yt8m.Video) error {
	if shard := number * s.shards / s.videos; shard == len(s.files) {
		if err := s.close(); err != nil {
			return err
		}
		name := filepath.Join(s.dir, fmt.Sprintf("%s-%03d.tfrecord", s.split, shard))
		open, err := tfrecord.Create(name, false)
		if err != nil {
			return err
		}
		s.open, s.files = open, append(s.files, name)
	}
	s.record = s.encoder.Append(s.record[:0], video)
	return s.open.Write(s.record)
}

// close finishes the open shard, if there is one.
func (s *shardWriter) close() error {
	if s.open == nil {
		return nil
	}
	open := s.open
	s.open = nil
	return open.Close()
}

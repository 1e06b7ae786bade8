package yt8m_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"

	"avcu/io/yt8m"
	"avcu/io/yt8m/synth"
)

// BenchmarkRead measures TFRecord to sampled uint8 batches, checksums verified, at YouTube-8M's widths and some 230 frames a
// video, in bytes of shards. With -cpu 1 it is the rate of one processor core.
func BenchmarkRead(b *testing.B) {
	files, err := synth.Write(context.Background(), synth.Options{Dir: b.TempDir(), Videos: 1024, Shards: 8})
	if err != nil {
		b.Fatal(err)
	}
	size := int64(0)
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			b.Fatal(err)
		}
		size += info.Size()
	}
	for _, shuffle := range []bool{false, true} {
		b.Run(fmt.Sprintf("shuffle=%v", shuffle), func(b *testing.B) {
			s, err := yt8m.NewSource(yt8m.Config{Files: files, FeatureNames: []string{"rgb", "audio"}, FeatureDims: []int{1024, 128},
				Frames: 100, Classes: 3862, BatchSize: 256, Shuffle: shuffle, RandomSampling: shuffle})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			b.SetBytes(size)
			b.ReportAllocs()
			epoch, videos := 0, 0
			for b.Loop() {
				if err := s.Start(epoch, 0); err != nil {
					b.Fatal(err)
				}
				epoch++
				for {
					_, _, _, ids, err := s.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					videos += len(ids)
				}
			}
			b.ReportMetric(float64(videos)/b.Elapsed().Seconds(), "videos/s")
		})
	}
}

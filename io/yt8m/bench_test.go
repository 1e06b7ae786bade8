//go:build unix

package yt8m_test

import (
	"context"
	"runtime"
	"syscall"
	"testing"
	"time"

	"avcu/io/tfrecord"
	"avcu/io/yt8m"
	"avcu/io/yt8m/synth"
)

// BenchmarkRead measures TFRecord to sampled uint8 batches, checksums verified, from files that the system keeps in memory:
// an epoch of videos of YouTube-8M's widths and some 230 frames each. GB/s are of the records as they are when not
// compressed, by the clock; GB/s/core of processor time, which is the rate of one core.
func BenchmarkRead(b *testing.B) {
	plain, err := synth.Write(context.Background(), synth.Options{Dir: b.TempDir(), Videos: 1024, Shards: 8})
	if err != nil {
		b.Fatal(err)
	}
	for _, files := range []struct {
		form  string
		names []string
	}{{"plain", plain}, {"gzip", zip(b, plain[:2])}} {
		for _, train := range []bool{false, true} {
			for _, readers := range []int{1, 0} {
				name := files.form + map[bool]string{false: "/in-order", true: "/shuffled"}[train] + map[int]string{1: "/readers=1", 0: "/readers=all"}[readers]
				b.Run(name, func(b *testing.B) {
					read(b, yt8m.Config{Files: files.names, FeatureNames: []string{"rgb", "audio"}, FeatureDims: []int{1024, 128},
						Frames: 100, Classes: 3862, BatchSize: 256, Readers: readers, Shuffle: train, RandomSampling: train})
				})
			}
		}
	}
}

func read(b *testing.B, cfg yt8m.Config) {
	s, err := yt8m.NewSource(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	bytes := 0.0
	for _, name := range cfg.Files {
		if err := tfrecord.Scan(name, func(_, length int64) bool {
			bytes += float64(tfrecord.HeaderSize + length + tfrecord.FooterSize)
			return true
		}); err != nil {
			b.Fatal(err)
		}
	}
	videos, number := epoch(b, s, 0), 1
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	processor := processorTime()
	for b.Loop() {
		epoch(b, s, number)
		number++
	}
	processor = processorTime() - processor
	runtime.ReadMemStats(&after)
	all := float64(b.N)
	b.ReportMetric(all*bytes/b.Elapsed().Seconds()/1e9, "GB/s")
	b.ReportMetric(all*bytes/processor.Seconds()/1e9, "GB/s/core")
	b.ReportMetric(all*float64(videos)/b.Elapsed().Seconds(), "videos/s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/all/float64(videos), "allocs/video")
}

// processorTime is what this process has taken of all cores.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for no process of one's own
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

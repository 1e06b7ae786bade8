package synth

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkSynth measures how fast shards of YouTube-8M's widths are made, by one goroutine.
func BenchmarkSynth(b *testing.B) {
	o, err := Options{Dir: "-", Videos: 1 << 20}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	g := newGenerator(newWorld(o))
	b.ReportAllocs()
	size, k := 0, int64(0)
	for b.Loop() {
		size += len(g.record(k))
		k++
	}
	b.SetBytes(int64(size) / k)
}

// BenchmarkWrite measures the same into files, with all processors.
func BenchmarkWrite(b *testing.B) {
	for b.Loop() {
		files, err := Write(context.Background(), Options{Dir: b.TempDir(), Videos: 1000, Shards: 4})
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
			os.Remove(name)
		}
		b.SetBytes(size)
	}
}

func ExampleWrite() {
	dir, _ := os.MkdirTemp("", "synth")
	defer os.RemoveAll(dir)
	files, err := Write(context.Background(), Options{Dir: dir, Videos: 10, Shards: 2, Classes: 5, Features: []Feature{{"rgb", 8}}, MaxFrames: 4})
	for _, name := range files {
		fmt.Println(filepath.Base(name))
	}
	fmt.Println(err)
	// Output:
	// train0000.tfrecord
	// train0001.tfrecord
	// <nil>
}

// Package synth writes made-up YouTube-8M-like shards that a model can learn. Each class has a prototype in every feature; a
// video shows the prototypes of its labels in some of its frames, over noise.
package synth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sync"

	"avcu/io/tfrecord"
	"avcu/io/yt8m"
)

// A Feature is one modality.
type Feature struct {
	Name string
	Dim  int // bytes of a frame
}

// Options say what to write. What is zero takes the default named.
type Options struct {
	Dir       string    // made where it does not exist
	Prefix    string    // of file names; "train" gives train0000.tfrecord and so on: the default
	Videos    int64     // in all
	Shards    int       // files, with as many videos each, but for one; 1
	Classes   int       // 3,862
	Features  []Feature // rgb of 1,024 and audio of 128
	MinFrames int       // 160
	MaxFrames int       // 300: 230 on average, as in YouTube-8M
	Seed      uint64    // of the videos

	// PrototypeSeed is the seed of the classes' prototypes. Sets that share it show the same classes, whatever their Seed: a
	// training set and a validation set differ in Seed alone.
	PrototypeSeed uint64

	Workers  int                // shards written at once; the number of processors
	Progress func(videos int64) // called with the number of videos written so far, by one goroutine at a time; may be nil
}

// withDefaults returns o with its defaults set, or what is wrong with it.
func (o Options) withDefaults() (Options, error) {
	set := func(v *int, to int) {
		if *v == 0 {
			*v = to
		}
	}
	set(&o.Shards, 1)
	set(&o.Classes, 3862)
	set(&o.MinFrames, min(160, max(o.MaxFrames, 0)))
	set(&o.MinFrames, 160)
	set(&o.MaxFrames, max(300, o.MinFrames))
	set(&o.Workers, runtime.GOMAXPROCS(0))
	if o.Prefix == "" {
		o.Prefix = "train"
	}
	if len(o.Features) == 0 {
		o.Features = []Feature{{"rgb", 1024}, {"audio", 128}}
	}
	switch {
	case o.Dir == "":
		return o, errors.New("synth: no folder to write to")
	case o.Prefix != filepath.Base(o.Prefix) || o.Prefix[0] == '.':
		return o, fmt.Errorf("synth: prefix %q: give the beginning of a file name", o.Prefix)
	case o.Videos < 1 || o.Videos > 1<<36:
		return o, fmt.Errorf("synth: %d videos: give 1 to 2^36", o.Videos)
	case o.Shards < 1 || int64(o.Shards) > o.Videos:
		return o, fmt.Errorf("synth: %d shards for %d videos: give each at least one", o.Shards, o.Videos)
	case o.Classes < 1 || o.Classes > 1<<20:
		return o, fmt.Errorf("synth: %d classes: give 1 to %d", o.Classes, 1<<20)
	case o.MinFrames < 1 || o.MaxFrames < o.MinFrames || o.MaxFrames > 1<<16:
		return o, fmt.Errorf("synth: %d to %d frames: give a range within 1 to %d", o.MinFrames, o.MaxFrames, 1<<16)
	case o.Workers < 1:
		return o, fmt.Errorf("synth: %d workers: give 1 or more", o.Workers)
	}
	spec := yt8m.Spec{}
	frame := 0
	for _, f := range o.Features {
		spec.Names, spec.Dims = append(spec.Names, f.Name), append(spec.Dims, f.Dim)
		frame += f.Dim
	}
	if _, err := yt8m.NewDecoder(spec); err != nil { // what could not be read again
		return o, fmt.Errorf("synth: %w", err)
	}
	if frame > 1<<30/o.MaxFrames || frame > 1<<32/o.Classes {
		return o, fmt.Errorf("synth: frames of %d bytes, %d of them, %d classes: over 1 GiB a video, or 4 GiB of prototypes: lower one", frame, o.MaxFrames, o.Classes)
	}
	return o, nil
}

// Write writes the shards and returns their names. What it writes is a function of the options alone, whatever the number of
// workers; video k is the same whatever the number of videos and shards. On an error, or when ctx ends, shards under way are
// removed, and those that are complete stay.
func Write(ctx context.Context, o Options) (files []string, err error) {
	o, err = o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return nil, fmt.Errorf("synth: %w", err)
	}
	for i := range o.Shards {
		files = append(files, filepath.Join(o.Dir, fmt.Sprintf("%s%04d.tfrecord", o.Prefix, i)))
	}
	if err := refuseOthers(o, files); err != nil {
		return nil, err
	}
	world := newWorld(o)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		wg       sync.WaitGroup
		progress sync.Mutex
		videos   int64
		next     = make(chan int)
	)
	done := func() {
		progress.Lock()
		defer progress.Unlock()
		videos++
		if o.Progress != nil {
			o.Progress(videos)
		}
	}
	for range min(o.Workers, o.Shards) {
		wg.Go(func() {
			g := newGenerator(world)
			for i := range next {
				first, end := o.Videos*int64(i)/int64(o.Shards), o.Videos*int64(i+1)/int64(o.Shards)
				if err := writeShard(ctx, files[i], g, first, end, done); err != nil {
					cancel(err) // the first one stays
				}
			}
		})
	}
	for i := range o.Shards {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return files, nil
}

// writeShard writes videos first to end-1 to the file name.
func writeShard(ctx context.Context, name string, g *generator, first, end int64, done func()) error {
	w, err := tfrecord.Create(name, false)
	if err != nil {
		return err
	}
	defer w.Abort()
	for k := first; k < end; k++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := w.Write(g.record(k)); err != nil {
			return err
		}
		done()
	}
	return w.Close()
}

// refuseOthers returns an error where the folder holds shards of this prefix that will not be written over: whoever reads
// the folder would mix two sets.
func refuseOthers(o Options, files []string) error {
	entries, err := os.ReadDir(o.Dir)
	if err != nil {
		return fmt.Errorf("synth: %w", err)
	}
	shard := regexp.MustCompile("^" + regexp.QuoteMeta(o.Prefix) + `\d{4,}\.tfrecord$`)
	for _, e := range entries {
		if name := filepath.Join(o.Dir, e.Name()); shard.MatchString(e.Name()) && !slices.Contains(files, name) {
			return fmt.Errorf("synth: %s is of another set than the %d shards to be written: remove it, or name another folder or prefix", name, o.Shards)
		}
	}
	return nil
}

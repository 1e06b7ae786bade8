package convert

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"avcu/io/yt8m"
)

// A task is one file to write.
type task struct {
	from  string // what the videos are from: a file or a folder
	to    string
	whole bool                                       // all videos of a file that is there already are compared
	count func() (int64, error)                      // the number of videos
	each  func(emit func(v *yt8m.Video) error) error // the videos in their order; Frames are those that count
}

// run writes the files of tasks, several at once. The first error ends it; what is complete stays.
func run(ctx context.Context, stage string, tasks []task, form Form, spec yt8m.Spec, o Options) (*Report, error) {
	if _, err := yt8m.NewDecoder(spec); err != nil { // what could not be read again
		return nil, err
	}
	report := &Report{}
	for _, t := range tasks {
		if same(t.from, t.to) {
			return nil, fmt.Errorf("convert: %s would be written over itself: name another place", t.from)
		}
		if err := os.MkdirAll(filepath.Dir(t.to), 0o777); err != nil {
			return nil, fmt.Errorf("convert: %w", err)
		}
		report.Files = append(report.Files, t.to)
	}
	if err := sweep(report.Files); err != nil {
		return nil, err
	}
	total := int64(0)
	if o.Progress != nil {
		var err error
		if total, err = countAll(ctx, tasks, o.workers()); err != nil {
			return nil, err
		}
	}
	var mu sync.Mutex
	done := func(videos int64) {
		mu.Lock()
		defer mu.Unlock()
		report.Videos += videos
		if o.Progress != nil {
			o.Progress(stage, report.Videos, total)
		}
	}
	err := parallel(ctx, len(tasks), o.workers(), func(ctx context.Context, i int) error {
		t := tasks[i]
		n, err := t.kept(ctx, form, spec)
		if err != nil {
			return err
		}
		if n >= 0 {
			done(n)
			mu.Lock()
			defer mu.Unlock()
			report.Kept++
			return nil
		}
		return write(t.to, form, spec.Names, func(emit func(*yt8m.Video) error) error {
			return t.each(func(v *yt8m.Video) error {
				long := settle(v, form)
				if err := errors.Join(context.Cause(ctx), emit(v)); err != nil {
					return err
				}
				done(1)
				if long {
					mu.Lock()
					defer mu.Unlock()
					report.Long++
				}
				return nil
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return report, nil
}

// countAll counts the videos of all tasks.
func countAll(ctx context.Context, tasks []task, workers int) (int64, error) {
	var total atomic.Int64
	err := parallel(ctx, len(tasks), workers, func(_ context.Context, i int) error {
		n, err := tasks[i].count()
		total.Add(n)
		return err
	})
	return total.Load(), err
}

// same tells whether both paths are one file.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// parallel calls do with the numbers below n, several at once. The first error ends it.
func parallel(ctx context.Context, n, workers int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(workers, n) {
		wg.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err) // the first one stays
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// kept returns the number of videos of the file that the task would write, if it is there already, else -1. It is an error if
// other videos are in it.
func (t *task) kept(ctx context.Context, form Form, spec yt8m.Spec) (int64, error) {
	info, err := os.Stat(t.to)
	if errors.Is(err, fs.ErrNotExist) {
		return -1, nil
	}
	if err != nil {
		return 0, fmt.Errorf("convert: %w", err)
	}
	refuse := func(why string) error {
		return fmt.Errorf("convert: %s is there already and is not what %s would become (%s): remove it, or name another place", t.to, t.from, why)
	}
	if !info.Mode().IsRegular() {
		return 0, refuse("not a regular file")
	}
	have, err := count(t.to, spec)
	if err != nil {
		return 0, refuse(err.Error())
	}
	want, err := t.count()
	if err != nil {
		return 0, err
	}
	if have != want {
		return 0, refuse(fmt.Sprintf("%d videos, not %d", have, want))
	}
	why, err := t.compare(ctx, form, spec)
	if err != nil {
		return 0, err
	}
	if why != "" {
		return 0, refuse(why)
	}
	if from, err := os.Stat(t.from); err == nil && !t.whole && info.ModTime().Before(from.ModTime()) {
		return -1, nil // the input has changed since: the same again, or a newer state of it
	}
	return have, nil
}

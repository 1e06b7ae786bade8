package yt8m

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"avcu/io/pickle"
	"avcu/io/tfrecord"
)

// A pickled container is a feature file of Paddle: a Python pickle of a list with a dict for each video. Listing it goes
// through the file once for all but the arrays, which stay in the file until a worker wants them; what a dict holds is looked
// at there too. Between epochs nothing of the file is kept.
type pickled struct {
	name    string
	file    int
	handles *handles

	mu    sync.Mutex
	ready bool  // what follows is set: after prepare, until list
	items []any // of the list
	err   error

	counted sync.Once
	total   int64
	failed  error
}

func (p *pickled) prepare() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ready {
		return
	}
	p.ready = true
	p.items, p.err = nil, nil
	info, err := os.Stat(p.name)
	if err != nil {
		p.err = fmt.Errorf("yt8m: %w", err)
		return
	}
	p.items, p.err = unpickle(lentFile{p.handles, p.file, p.name}, info.Size(), p.name)
}

func (p *pickled) count() (int64, error) {
	p.counted.Do(func() {
		f, err := pickle.Open(p.name)
		if err != nil {
			p.failed = err
			return
		}
		defer f.Close()
		var items []any
		items, p.failed = videosOf(f.Value, p.name)
		p.total = int64(len(items))
	})
	return p.total, p.failed
}

func (p *pickled) list(emit func(record) bool) error {
	p.prepare()
	p.mu.Lock()
	items, err := p.items, p.err
	p.items, p.ready = nil, false
	p.mu.Unlock()
	for i, item := range items {
		items[i] = nil // whoever has the record keeps it, and no one else
		if !emit(record{file: p.file, number: int64(i), offset: unknownOffset, item: item}) {
			return nil
		}
	}
	return err
}

func (p *pickled) decode(w *worker, r record) (err error) {
	w.buffer, err = w.decoder.unpickled(r.item, &w.video, w.buffer)
	return locatedVideo(p.name, r.number, err)
}

// A lentFile reads a file of handles, which need not be open between two reads.
type lentFile struct {
	handles *handles
	file    int
	name    string
}

func (f lentFile) ReadAt(b []byte, off int64) (int, error) {
	h, err := f.handles.acquire(f.file, f.name)
	if err != nil {
		return 0, err
	}
	defer f.handles.release(f.file)
	return h.ReadAt(b, off)
}

// unpickle returns the videos of the pickle of size bytes in r, whose arrays go on to be read from r.
func unpickle(r io.ReaderAt, size int64, name string) ([]any, error) {
	v, err := pickle.Decode(r, size, name)
	if err != nil {
		return nil, err
	}
	return videosOf(v, name)
}

// videosOf returns the videos of a pickle that holds v.
func videosOf(v any, name string) ([]any, error) {
	items, ok := pickle.Items(v)
	if !ok {
		return nil, fmt.Errorf("yt8m: %s: the pickle holds %s, expected a list with a dict for each video (video, feature, audio, label, nframes): write it again", name, pickle.Describe(v))
	}
	return items, nil
}

// unknownOffset stands for the byte offset of what has no place of its own in its file: a video of a pickle.
const unknownOffset = -1

// locatedVideo adds the number of a pickle's video to an error.
func locatedVideo(name string, number int64, err error) error {
	var e *DecodeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return &Error{Position: tfrecord.Position{File: name, Record: number, Offset: unknownOffset}, Err: e}
	}
	return fmt.Errorf("yt8m: %s: video %d: %w", name, number, err)
}

package yt8m

import (
	"fmt"
	"io"
	"os"
	"sync"

	"avcu/io/tfrecord"
)

// A record is a reference to one video in a container.
type record struct {
	file   int   // index of the container
	number int64 // of the record in its file, from 0
	offset int64 // byte offset of the record in its file
	length int64 // bytes of its data
	item   any   // of a pickle, the video itself, but for its arrays
	data   []byte
	// data is the record's data where the container had to read it to get past it (compressed files); it belongs to the
	// source's buffers. Elsewhere it is nil, and decode reads it.
}

// A container holds the videos of one file. It is the seam at which further kinds of files join: whatever can list its
// videos and decode them one by one feeds the same shuffling, sampling and batches. Its methods may be called from several
// goroutines.
type container interface {
	// prepare does what can be done ahead of list, while another file is listed. Its errors are those of list, which
	// reports them.
	prepare()
	// count returns the number of records, by a framing-only pass.
	count() (int64, error)
	// list hands over the records in their order until emit returns false. Those before damage come before its error.
	list(emit func(record) bool) error
	// decode makes a record that list handed over the worker's video.
	decode(w *worker, r record) error
}

// An input is one file of a source, opened when it is first needed.
type input struct {
	name string
	file int // its index
	once sync.Once
	container
	err error
}

// open tells by its content what the file is.
func (in *input) open(handles *handles, buffers *buffers) error {
	in.once.Do(func() {
		var head []byte
		if head, in.err = readHead(in.name); in.err != nil {
			return
		}
		switch form := tfrecord.Detect(head); {
		case isPickle(in.name, head):
			in.container = &pickled{name: in.name, file: in.file, handles: handles}
		case form == tfrecord.Gzip || form == tfrecord.Zlib:
			in.container = &compressed{name: in.name, file: in.file, buffers: buffers}
		default:
			in.container = &plain{name: in.name, file: in.file, handles: handles}
		}
	})
	return in.err
}

// readHead reads the first bytes of the file name, as many as tell its form.
func readHead(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("yt8m: %w", err)
	}
	defer f.Close()
	head := make([]byte, tfrecord.HeaderSize)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("yt8m: %w", err)
	}
	return head[:n], nil
}

package tfrecord

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"avcu/io/replace"

	"github.com/klauspost/compress/gzip"
)

const writeBuffer = 1 << 20

// A Writer writes the records of one file. The file takes its name only when Close has succeeded: until then it is a hidden
// file in the same folder. A Writer is for one goroutine.
type Writer struct {
	name, temporary string
	file            *os.File
	out             *bufio.Writer
	zip             *gzip.Writer // between the records and out, or nil
	to              io.Writer    // zip or out
	edge            [HeaderSize]byte
	err             error
}

// Create starts the file name, compressed with gzip as a whole if compress is set. An existing file of that name is
// replaced when Close succeeds.
func Create(name string, compress bool) (*Writer, error) {
	dir, base := filepath.Split(name)
	w := &Writer{name: name, temporary: fmt.Sprintf("%s.%s.%d.tmp", dir, base, os.Getpid())}
	f, err := os.Create(w.temporary)
	if err != nil {
		return nil, fmt.Errorf("tfrecord: %s: %w", name, err)
	}
	w.file, w.out = f, bufio.NewWriterSize(f, writeBuffer)
	w.to = w.out
	if compress {
		w.zip = gzip.NewWriter(w.out)
		w.to = w.zip
	}
	return w, nil
}

// Write appends a record with a copy of data. After an error the Writer accepts no more, and Close returns that error.
func (w *Writer) Write(data []byte) error {
	if w.err != nil {
		return w.err
	}
	if len(data) > MaxLength {
		return w.fail(fmt.Errorf("%w: %d bytes of data (%s)", ErrTooLong, len(data), remedy(ErrTooLong)))
	}
	putHeader(w.edge[:], len(data))
	if _, err := w.to.Write(w.edge[:]); err != nil {
		return w.fail(err)
	}
	if _, err := w.to.Write(data); err != nil {
		return w.fail(err)
	}
	binary.LittleEndian.PutUint32(w.edge[:], checksum(data))
	if _, err := w.to.Write(w.edge[:FooterSize]); err != nil {
		return w.fail(err)
	}
	return nil
}

// Close writes out what is buffered, syncs the file to storage and gives it its name. On an error, of this or of an earlier
// Write, the unfinished file is removed and the name is left as it was.
func (w *Writer) Close() error {
	if w.file == nil {
		return w.err
	}
	if w.err == nil && w.zip != nil {
		w.fail(w.zip.Close())
	}
	if w.err == nil {
		w.fail(w.out.Flush())
	}
	if w.err == nil {
		w.fail(w.file.Sync())
	}
	if w.err != nil {
		w.Abort()
		return w.err
	}
	err := w.file.Close()
	w.file = nil
	if err == nil {
		err = os.Rename(w.temporary, w.name)
	}
	if err != nil {
		os.Remove(w.temporary)
		return w.fail(err)
	}
	w.err = errClosed
	if err := replace.SyncFolder(filepath.Dir(w.name)); err != nil {
		return fmt.Errorf("tfrecord: %w", err)
	}
	return nil
}

// Abort gives the file up: the unfinished file is removed and the name is left as it was. After Close it does nothing.
func (w *Writer) Abort() {
	if w.file == nil {
		return
	}
	w.file.Close()
	w.file = nil
	os.Remove(w.temporary)
	if w.err == nil {
		w.err = errClosed
	}
}

var errClosed = errors.New("tfrecord: write to a closed file")

// fail keeps and returns err with the file's name; nil is no failure.
func (w *Writer) fail(err error) error {
	if err != nil {
		w.err = fmt.Errorf("tfrecord: write %s: %w", w.name, err)
	}
	return w.err
}

// Package replace puts files in the place of others whole or not at all: what is written is a file of its own in the same
// folder until it is complete, and then takes the name.
package replace

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A File is what writing needs of an *os.File.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Create creates a file that must not exist.
func Create(path string) (File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// With puts a file with what write writes in the place of path: aside in the same folder under a hidden name that ends in
// .tmp, synced, renamed, the folder synced. If anything fails up to the renaming, the file aside is removed and path is
// untouched.
func With(path string, write func(io.Writer) error) error { return WithFile(path, Create, write) }

// WithFile is With on files that create makes, which must not exist.
func WithFile(path string, create func(path string) (File, error), write func(io.Writer) error) error {
	var f File
	tmp, err := Aside(path, "tmp", func(path string) (err error) {
		f, err = create(path)
		return err
	})
	if err != nil {
		return err
	}
	if err = Fill(f, write); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return SyncFolder(filepath.Dir(path))
}

// Fill writes what write writes to f, syncs and closes it.
func Fill(f File, write func(io.Writer) error) error {
	err := write(f)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// Buffered is write by way of a buffer, for what is written in small pieces.
func Buffered(write func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		buffered := bufio.NewWriterSize(w, 64<<10)
		if err := write(buffered); err != nil {
			return err
		}
		return buffered.Flush()
	}
}

// Aside calls create with hidden names in the folder of path until one is free, and returns that: names may be taken by
// another writer, or left over from a crash.
func Aside(path, ending string, create func(path string) error) (string, error) {
	folder, name := filepath.Split(filepath.Clean(path))
	for i := 0; ; i++ {
		other := filepath.Join(folder, fmt.Sprintf(".%s.%d.%s", name, i, ending))
		err := create(other)
		if err == nil || !errors.Is(err, fs.ErrExist) || i == 1000 {
			return other, err
		}
	}
}

// SyncFolder makes a renaming in folder last through a power failure, where the file system can.
func SyncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("all is in place, but its folder %s could not be synced: %w", folder, err)
	}
	return nil
}

// Package faulty has files on bad disks, for tests of what is written.
package faulty

import (
	"errors"
	"syscall"

	"avcu/io/replace"
)

// ErrDisk is the error of a file that fails to sync or to close.
var ErrDisk = errors.New("input/output error")

// A File is a real file on a disk that is full after Room bytes, or that fails to sync or to close.
type File struct {
	replace.File
	Room                  int
	SyncFails, CloseFails bool
}

// Create makes the file real: it is a create of replace.WithFile.
func (f *File) Create(path string) (replace.File, error) {
	var err error
	f.File, err = replace.Create(path)
	return f, err
}

// Write fails with ENOSPC where there is no more room.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.File.Write(p[:min(len(p), f.Room)])
	f.Room -= n
	if err == nil && n < len(p) {
		err = syscall.ENOSPC
	}
	return n, err
}

// Sync fails where it should.
func (f *File) Sync() error {
	if f.SyncFails {
		return ErrDisk
	}
	return f.File.Sync()
}

// Close closes the real file, and fails where it should.
func (f *File) Close() error {
	err := f.File.Close()
	if f.CloseFails {
		return ErrDisk
	}
	return err
}

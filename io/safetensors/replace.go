package safetensors

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// file is what replaceFile needs of an *os.File.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

// createFile creates a file that must not exist.
func createFile(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// replaceFile puts a file with what write writes in the place of path: aside in the same folder under a name that ends in
// .tmp, synced, renamed, the folder synced. If anything fails up to the renaming, the file aside is removed and path is
// untouched.
func replaceFile(path string, create func(path string) (file, error), write func(io.Writer) error) (err error) {
	folder, name := filepath.Split(path)
	var f file
	var aside string
	for i := 0; ; i++ { // names may be taken: by another writer, or left over from a crash
		aside = filepath.Join(folder, fmt.Sprintf(".%s.%d.tmp", name, i))
		f, err = create(aside)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) || i == 1000 {
			return err
		}
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(aside, path)
	}
	if err != nil {
		if removeErr := os.Remove(aside); removeErr != nil {
			err = errors.Join(err, removeErr)
		}
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes a renaming in folder last through a power failure, where the file system can.
func syncFolder(folder string) error {
	if folder == "" {
		folder = "."
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("the file is in place, but its folder could not be synced: %w", err)
	}
	return nil
}

package paddle

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

// file is what writing needs of an *os.File.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

// createFile creates a file that must not exist.
func createFile(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// writeAndSync writes what write writes to f, makes it last and closes f.
func writeAndSync(f file, write func(io.Writer) error) error {
	buffered := bufio.NewWriterSize(f, 64<<10)
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// aside calls create with names in the folder of path until one is free, and returns that: names may be taken by another
// writer, or left over from a crash.
func aside(path, ending string, create func(path string) error) (string, error) {
	folder, name := filepath.Split(filepath.Clean(path))
	for i := 0; ; i++ {
		other := filepath.Join(folder, fmt.Sprintf(".%s.%d.%s", name, i, ending))
		err := create(other)
		if err == nil || !errors.Is(err, fs.ErrExist) || i == 1000 {
			return other, err
		}
	}
}

// replaceFile puts a file with what write writes in the place of path: aside in the same folder under a name that ends in
// .tmp, synced, renamed, the folder synced. If anything fails up to the renaming, the file aside is removed and path is
// untouched.
func replaceFile(path string, create func(path string) (file, error), write func(io.Writer) error) error {
	var f file
	tmp, err := aside(path, "tmp", func(path string) (err error) {
		f, err = create(path)
		return err
	})
	if err != nil {
		return err
	}
	if err = writeAndSync(f, write); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return syncFolder(filepath.Dir(path))
}

// replaceFolder puts a folder that fill fills in the place of path: aside, synced, renamed. A folder that is there already
// is moved aside first and removed at the end; if the renaming fails, it is moved back.
func replaceFolder(path string, fill func(folder string) error) error {
	if err := replaceable(path); err != nil {
		return err
	}
	tmp, err := aside(path, "tmp", func(path string) error { return os.Mkdir(path, 0o777) })
	if err != nil {
		return err
	}
	if err = fill(tmp); err == nil {
		err = syncFolder(tmp)
	}
	old := ""
	if err == nil {
		old, err = moveAside(path)
	}
	if err == nil {
		if err = os.Rename(tmp, path); err != nil && old != "" {
			err = errors.Join(err, os.Rename(old, path))
		}
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	if err = syncFolder(filepath.Dir(filepath.Clean(path))); err != nil || old == "" {
		return err
	}
	return os.RemoveAll(old)
}

// moveAside renames the folder at path to a free name beside it, which it returns; empty if there is no folder.
func moveAside(path string) (string, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return aside(path, "old", func(other string) error {
		if _, err := os.Lstat(other); err == nil {
			return fs.ErrExist
		}
		return os.Rename(path, other)
	})
}

// replaceable verifies that nothing but weights is lost with the folder at path: it is not there, empty, or holds LoDTensor
// files alone.
func replaceable(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	refuse := func(why string) error {
		return fmt.Errorf("%s: give the path of a new folder, or move this away first", why)
	}
	if !info.IsDir() {
		return refuse("a file or link is there already")
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			return refuse(fmt.Sprintf("the folder holds %q, which is no file of weights", e.Name()))
		}
		f, err := os.Open(filepath.Join(path, e.Name()))
		if err != nil {
			return err
		}
		var list []tensor
		if info, err := f.Stat(); err == nil && formOf(f, info.Size()) == lodFile {
			list, _ = newWeights("").lodTensors(f, info.Size())
		}
		f.Close()
		if len(list) != 1 {
			return refuse(fmt.Sprintf("the folder holds %q, which is no file of weights", e.Name()))
		}
	}
	return nil
}

// syncFolder makes a renaming in folder last through a power failure, where the file system can.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("all is in place, but its folder could not be synced: %w", err)
	}
	return nil
}

package paddle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"avcu/io/replace"
)

// replaceFolder puts a folder that fill fills in the place of path: aside, synced, renamed. A folder that is there already
// is moved aside first and removed at the end; if the renaming fails, it is moved back.
func replaceFolder(path string, fill func(folder string) error) error {
	if err := replaceable(path); err != nil {
		return err
	}
	tmp, err := replace.Aside(path, "tmp", func(path string) error { return os.Mkdir(path, 0o777) })
	if err != nil {
		return err
	}
	if err = fill(tmp); err == nil {
		err = replace.SyncFolder(tmp)
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
	if err = replace.SyncFolder(filepath.Dir(filepath.Clean(path))); err != nil || old == "" {
		return err
	}
	return os.RemoveAll(old)
}

// moveAside renames the folder at path to a free name beside it, which it returns; empty if there is no folder.
func moveAside(path string) (string, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return replace.Aside(path, "old", func(other string) error {
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

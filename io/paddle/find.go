package paddle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"avcu/io/pickle"
)

// part is what one file, or one member of an archive, holds.
type part struct {
	name    string // of the file without its folder
	tensors []tensor
	lod     bool // LoDTensors, which have no names
}

// maxFiles is the most files of a folder or archive.
const maxFiles = 10_000

// find reads what the files at w.path hold, whatever their form.
func (w *Weights) find() ([]part, error) {
	info, err := os.Stat(w.path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return w.folder()
	}
	f, size, err := w.openFile(w.path)
	if err != nil {
		return nil, err
	}
	return w.file(f, size)
}

// file reads what a file holds that stands alone.
func (w *Weights) file(r io.ReaderAt, size int64) ([]part, error) {
	switch form := formOf(r, size); form {
	case gzipFile, tarFile:
		return w.archive(r, size, form == gzipFile)
	default:
		w.budget += fileFactor * size
		p, _, err := w.part("", r, size)
		return []part{p}, err
	}
}

// openFile opens a file that stays open until Close.
func (w *Weights) openFile(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	w.files = append(w.files, f)
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("not a regular file: give a file or folder of weights")
	}
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// folder reads the files of a folder. Folders in it are left alone.
func (w *Weights) folder() ([]part, error) {
	entries, err := os.ReadDir(w.path)
	if err != nil {
		return nil, err
	}
	var parts []part
	var folders []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(w.path, e.Name())
		if info, err := os.Stat(path); err != nil {
			return nil, err
		} else if info.IsDir() {
			folders = append(folders, e.Name())
			continue
		}
		if len(parts) == maxFiles {
			return nil, fmt.Errorf("more than %d files: not a folder of weights", maxFiles)
		}
		f, size, err := w.openFile(path)
		if err != nil {
			return nil, err
		}
		w.budget += fileFactor * size
		p, ok, err := w.part(e.Name(), f, size)
		if err != nil {
			return nil, err
		}
		if ok {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 && len(folders) > 0 {
		return nil, fmt.Errorf("no files of weights, only the folders %s: give one of them", strings.Join(folders[:min(5, len(folders))], ", "))
	}
	return parts, nil
}

// form is what the bytes of a file are.
type form int

const (
	unknownFile form = iota
	emptyFile
	lodFile
	pickleFile
	programFile
	tarFile
	gzipFile
)

// formOf tells the form by the first bytes.
func formOf(r io.ReaderAt, size int64) form {
	head := make([]byte, min(size, 512))
	if n, err := r.ReadAt(head, 0); n < len(head) && err != nil {
		return unknownFile
	}
	switch {
	case size == 0:
		return emptyFile
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzipFile
	case isTar(head):
		return tarFile
	case bytes.HasPrefix([]byte{0, 0, 0, 0}, head[:min(4, size)]):
		return lodFile
	case head[0] == 0x80 || bytes.IndexByte([]byte("(}]c"), head[0]) >= 0: // the last four open pickles of protocols 0 and 1
		return pickleFile
	case head[0] == 0x0a: // the first field of a ProgramDesc: __model__, .pdmodel
		return programFile
	}
	return unknownFile
}

// isTar reports whether the first block of a file is a tar header: it has the magic, or at least its checksum is right.
func isTar(head []byte) bool {
	if len(head) < 512 {
		return false
	}
	if bytes.HasPrefix(head[257:], []byte("ustar")) {
		return true
	}
	_, err := tar.NewReader(bytes.NewReader(head)).Next()
	return err == nil
}

// part reads what one file holds; ok is false for a program beside the weights, which is no part of them. name is the file's
// in its folder or archive, empty if it stands alone.
func (w *Weights) part(name string, r io.ReaderAt, size int64) (p part, ok bool, err error) {
	p.name = name
	form := formOf(r, size)
	switch form {
	case emptyFile:
		err = fmt.Errorf("byte 0: the file is empty: %s", fetchAgain)
	case lodFile:
		p.lod = true
		p.tensors, err = w.lodTensors(r, size)
	case pickleFile:
		p.tensors, err = w.pickled(r, size, filepath.Join(w.path, name))
	case programFile:
		if name == "" {
			err = fmt.Errorf("byte 0: a program or another file, not weights: give the file or folder of weights beside it")
		}
	case tarFile, gzipFile:
		err = fmt.Errorf("an archive inside a folder or archive: unpack it and give what it holds")
	default:
		head := make([]byte, min(size, 4))
		r.ReadAt(head, 0)
		err = fmt.Errorf("byte 0: not Paddle's weights: begins with % x, where a LoDTensor of version 0 begins with 00 00 00 00 and a pickle with 80; check the path, or fetch the file again", head)
	}
	var named *pickle.Error
	if err != nil && name != "" && !errors.As(err, &named) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return p, form != programFile, err
}

// withRoom returns list with room for one more. It doubles a list that is full: what append allocates on the way to a long one is
// five times its size.
func withRoom(list []tensor) []tensor {
	if len(list) < cap(list) {
		return list
	}
	return append(make([]tensor, 0, 2*len(list)+1), list...)
}

// lodTensors reads the tensors of a file that holds one or more.
func (w *Weights) lodTensors(r io.ReaderAt, size int64) ([]tensor, error) {
	p := parser{r: r, size: size}
	var list []tensor
	for p.at < size {
		if err := w.charge(tensorCost); err != nil {
			return nil, err
		}
		t, err := p.next()
		if err != nil {
			if len(list) > 0 {
				err = fmt.Errorf("what follows %d whole tensors at byte %d is none: %w", len(list), t.at, err)
			}
			return nil, err
		}
		list = append(withRoom(list), t)
	}
	return list, nil
}

package npy

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"avcu/io/safetensors"
)

// Write writes a .npz file, not compressed, as numpy.savez does. The same tensors give the same bytes. The file comes into
// being whole or not at all: it is written aside in the same folder, synced and renamed. An error names the file and the tensor.
func Write(path string, tensors []safetensors.Tensor) error {
	if err := replaceFile(path, func(w io.Writer) error { return writeArchive(w, tensors) }); err != nil {
		return fmt.Errorf("npy: %s: %w", path, err)
	}
	return nil
}

func writeArchive(w io.Writer, tensors []safetensors.Tensor) error {
	archive := zip.NewWriter(w)
	seen := map[string]bool{}
	for _, t := range tensors {
		if t.Name == "" || seen[t.Name] || !utf8.ValidString(t.Name) || strings.Contains(t.Name, `\`) {
			return fmt.Errorf("tensor %q: the name is empty, comes twice, is not UTF-8 or has a backslash", t.Name)
		}
		seen[t.Name] = true
		member, err := archive.CreateHeader(&zip.FileHeader{Name: t.Name + ".npy", Method: zip.Store})
		if err == nil {
			err = writeArray(member, t)
		}
		if err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	return archive.Close()
}

func writeArray(w io.Writer, t safetensors.Tensor) error {
	h := header{dtype: t.DType, shape: t.Shape}
	head, err := h.format()
	if err != nil {
		return err
	}
	_, size, err := h.dataSize()
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	count := &countingWriter{w: w}
	if err := t.Data(count); err != nil {
		return err
	}
	if count.n != size {
		return fmt.Errorf("its data has %d bytes, and shape %v of %s takes %d", count.n, t.Shape, t.DType, size)
	}
	return nil
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// replaceFile puts what write writes in the place of path.
func replaceFile(path string, write func(io.Writer) error) error {
	folder, name := filepath.Split(path)
	if folder == "" {
		folder = "."
	}
	f, err := os.CreateTemp(folder, "."+name+".*.tmp")
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(f, 1<<20)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
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

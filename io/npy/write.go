package npy

import (
	"archive/zip"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"avcu/io/replace"
	"avcu/io/safetensors"
)

// Write writes a .npz file, not compressed, as numpy.savez does. The same tensors give the same bytes. The file comes into
// being whole or not at all: it is written aside in the same folder, synced and renamed. An error names the file and the tensor.
func Write(path string, tensors []safetensors.Tensor) error {
	if err := replace.With(path, replace.Buffered(func(w io.Writer) error { return writeArchive(w, tensors) })); err != nil {
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

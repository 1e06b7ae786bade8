package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"

	"avcu/io/floats"
	"avcu/io/replace"
)

// Tensor is a tensor to be written. Data is called once, when its turn comes, and writes all of the tensor's bytes, row-major
// and little-endian.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  func(w io.Writer) error
}

// Float32 is a tensor of float32 values that lie in memory as they are to be written.
func Float32(name string, shape []int, values []float32) Tensor {
	return Tensor{Name: name, DType: F32, Shape: shape, Data: func(w io.Writer) error { return floats.Write(w, values) }}
}

// chunkBytes is how much of a tensor is fetched at a time on its way to the file, or one row.
const chunkBytes = 1 << 20

// Float32Rows is a tensor of float32 values that are fetched as they are written: from another device, or from memory with
// padded rows. A row is what one index of the first dimension selects (a single number is one row). fetch(row, dst) fills dst
// with whole rows, one after the other, from that row on; dst is about 1 MiB, or one row if that is longer, and is used again.
func Float32Rows(name string, shape []int, fetch func(row int, dst []float32) error) Tensor {
	return Tensor{Name: name, DType: F32, Shape: shape, Data: func(w io.Writer) error {
		bytes, err := byteSize(F32, shape)
		if err != nil || bytes == 0 {
			return err
		}
		rows := 1
		if len(shape) > 0 {
			rows = shape[0]
		}
		width := int(bytes) / 4 / rows
		atOnce := min(rows, max(1, chunkBytes/4/width))
		values := make([]float32, atOnce*width)
		buffer := make([]byte, 4*len(values))
		for row := 0; row < rows; row += atOnce {
			part := values[:min(atOnce, rows-row)*width]
			if err := fetch(row, part); err != nil {
				return fmt.Errorf("rows %d to %d: %w", row, row+len(part)/width-1, err)
			}
			if err := floats.Put(w, buffer, part); err != nil {
				return err
			}
		}
		return nil
	}}
}

// Write writes the tensors and the metadata to the file at path. The same input gives the same bytes: tensors in the order
// given, but those of wider elements first, so that all data is aligned; metadata by key.
//
// The file comes into being whole or not at all: it is written aside in the same folder, synced and renamed, and the folder
// synced. On an error, which names the file, what was written aside is removed, and an earlier file at path is as it was.
func Write(path string, tensors []Tensor, metadata map[string]string) error {
	tensors = slices.Clone(tensors)
	slices.SortStableFunc(tensors, func(a, b Tensor) int { return cmp.Compare(b.DType.Size(), a.DType.Size()) })
	head, err := formatHeader(tensors, metadata)
	if err == nil {
		err = replace.With(path, func(w io.Writer) error { return writeAll(w, head, tensors) })
	}
	if err != nil {
		return fmt.Errorf("safetensors: %s: %w", path, err)
	}
	return nil
}

// writeAll writes the header and the data, and verifies that each tensor's data has the length that the header says.
func writeAll(w io.Writer, head []byte, tensors []Tensor) error {
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, t := range tensors {
		bytes, err := byteSize(t.DType, t.Shape)
		if err != nil {
			return err
		}
		exact := &exactWriter{w: w, left: bytes}
		if err := t.Data(exact); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if exact.left != 0 {
			return fmt.Errorf("tensor %q: its data ended %d bytes short of shape %v of %s", t.Name, exact.left, t.Shape, t.DType)
		}
	}
	return nil
}

// exactWriter refuses bytes past those left.
type exactWriter struct {
	w    io.Writer
	left int64
}

var errTooLong = errors.New("more data than its shape holds")

func (e *exactWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > e.left {
		return 0, errTooLong
	}
	n, err := e.w.Write(p)
	e.left -= int64(n)
	return n, err
}

// formatHeader returns the length and the JSON of the header, padded with spaces so that the data begins at a multiple of 8.
func formatHeader(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	text := bytes.NewBuffer(make([]byte, 8))
	text.WriteByte('{')
	separate := func() {
		if text.Len() > 9 {
			text.WriteByte(',')
		}
	}
	if len(metadata) > 0 {
		for key, value := range metadata {
			if !utf8.ValidString(key) || !utf8.ValidString(value) {
				return nil, fmt.Errorf("metadata %q is not UTF-8", key)
			}
		}
		text.WriteString(`"` + metadataKey + `":`)
		appendJSON(text, metadata) // sorts the keys
	}
	seen := map[string]bool{metadataKey: true}
	var end int64
	for _, t := range tensors {
		if seen[t.Name] || !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("tensor %q: the name comes twice, is reserved or is not UTF-8", t.Name)
		}
		seen[t.Name] = true
		size, err := byteSize(t.DType, t.Shape)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if size > math.MaxInt64-end {
			return nil, fmt.Errorf("tensor %q: the file would be longer than any file can be", t.Name)
		}
		separate()
		appendJSON(text, t.Name)
		text.WriteByte(':')
		appendJSON(text, struct {
			DType   DType    `json:"dtype"`
			Shape   []int    `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}{t.DType, append([]int{}, t.Shape...), [2]int64{end, end + size}})
		end += size
	}
	text.WriteByte('}')
	for text.Len()%8 != 0 {
		text.WriteByte(' ')
	}
	if text.Len()-8 > maxHeader {
		return nil, fmt.Errorf("the header would be %d bytes, longer than the %d that the format allows", text.Len()-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(text.Bytes(), uint64(text.Len()-8))
	return text.Bytes(), nil
}

// appendJSON writes v without a line end. The values here cannot fail to be encoded.
func appendJSON(text *bytes.Buffer, v any) {
	e := json.NewEncoder(text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	text.Truncate(text.Len() - 1)
}

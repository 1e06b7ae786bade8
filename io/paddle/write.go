package paddle

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"avcu/io/floats"
	"avcu/io/pickle"
	"avcu/io/replace"
)

// Tensor is a tensor to be written. Data writes all of the tensor's bytes, row-major and little-endian; it may be called more
// than once and must write the same each time.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  func(w io.Writer) error
}

func (t Tensor) info() Info { return Info{t.Name, t.DType, t.Shape} }

// write writes the tensor's data, and verifies that it has the length that the shape says.
func (t Tensor) write(w io.Writer) error {
	want, err := byteSize(t.info())
	exact := &counter{w: w}
	if err == nil {
		err = t.Data(exact)
	}
	if err == nil && exact.n != want {
		err = fmt.Errorf("its data has %d bytes, shape %v of %s takes %d", exact.n, t.Shape, t.DType, want)
	}
	if err != nil {
		return fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	return nil
}

// FromFloat32 is a tensor of float32 values that lie in memory as they are to be written.
func FromFloat32(name string, shape []int, values []float32) Tensor {
	return Tensor{name, Float32, shape, func(w io.Writer) error { return floats.Write(w, values) }}
}

// WriteFolder writes the tensors to the folder at path, each to a LoDTensor file of its name. The folder comes into being
// whole or not at all: it is written aside, synced and renamed. It may take the place of an empty folder or of one that holds
// nothing but LoDTensor files; any other is left as it is, and an error. Errors of all functions that write name the path.
func WriteFolder(path string, tensors []Tensor) error {
	err := check(tensors)
	if err == nil {
		err = replaceFolder(path, func(aside string) error { return writeFiles(aside, tensors) })
	}
	return located(path, err)
}

func writeFiles(folder string, tensors []Tensor) error {
	for _, t := range tensors {
		if t.Name == "" || t.Name[0] == '.' || strings.ContainsAny(t.Name, "/\\\x00") {
			return fmt.Errorf("tensor %q: the name cannot be that of a file: write another form", t.Name)
		}
		f, err := replace.Create(filepath.Join(folder, t.Name))
		if err == nil {
			err = replace.Fill(f, replace.Buffered(func(w io.Writer) error { return writeTensor(w, t) }))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// WriteCombined writes the tensors to the file at path, one after another in bytewise order of their names, which the file
// does not hold. The file comes into being whole or not at all.
func WriteCombined(path string, tensors []Tensor) error {
	tensors = slices.Clone(tensors)
	slices.SortFunc(tensors, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	err := check(tensors)
	if err == nil {
		err = replace.With(path, replace.Buffered(func(w io.Writer) error {
			for _, t := range tensors {
				if err := writeTensor(w, t); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return located(path, err)
}

// WritePickle writes the tensors to the file at path as a pickled dict, in the order given: parameters to a .pdparams file,
// the optimiser's state to a .pdopt file. Arrays over 1 GiB are stored in parts, as Paddle does. The file comes into being
// whole or not at all.
func WritePickle(path string, tensors []Tensor) error {
	err := check(tensors)
	if err == nil {
		err = replace.With(path, replace.Buffered(func(w io.Writer) error { return writePickle(w, tensors, 1<<30-1) }))
	}
	return located(path, err)
}

// writePickle stores arrays of more than limit bytes in parts.
func writePickle(w io.Writer, tensors []Tensor, limit int) error {
	for _, t := range tensors {
		if pickle.DType(t.DType).Size() == 0 {
			return fmt.Errorf("tensor %q: NumPy has no %s: write another form, or float32", t.Name, t.DType)
		}
	}
	e := pickle.NewEncoder(w)
	e.Dict(func() {
		var split []Tensor
		for _, t := range tensors {
			if most := limit / t.DType.Size(); t.info().Len() > most {
				split = append(split, t)
				continue
			}
			e.Text(t.Name)
			e.Array(pickle.DType(t.DType), t.Shape, t.write)
		}
		if len(split) > 0 {
			writeSplit(e, split, limit)
		}
	})
	return e.Close()
}

// writeSplit writes the parts of tensors, and which make up which.
func writeSplit(e *pickle.Encoder, tensors []Tensor, limit int) {
	parts := func(t Tensor, part func(name string, first, n int)) {
		most := limit / t.DType.Size()
		for i, first := 0, 0; first < t.info().Len(); i, first = i+1, first+most {
			part(fmt.Sprintf("%s@@.%d", t.Name, i), first, min(most, t.info().Len()-first))
		}
	}
	for _, t := range tensors {
		parts(t, func(name string, first, n int) {
			size := t.DType.Size()
			e.Text(name)
			e.Array(pickle.DType(t.DType), []int{n}, func(w io.Writer) error {
				return t.write(&window{w: w, skip: first * size, left: n * size})
			})
		})
	}
	e.Text(splitArrays)
	e.Dict(func() {
		for _, t := range tensors {
			e.Text(t.Name)
			e.Dict(func() {
				e.Text("OriginShape")
				e.Tuple(func() {
					for _, n := range t.Shape {
						e.Int(int64(n))
					}
				})
				e.Text("slices")
				e.List(func() { parts(t, func(name string, _, _ int) { e.Text(name) }) })
			})
		}
	})
}

// window passes on left bytes after the first skip bytes, and drops the rest.
type window struct {
	w          io.Writer
	skip, left int
}

func (w *window) Write(b []byte) (int, error) {
	from := min(w.skip, len(b))
	to := from + min(w.left, len(b)-from)
	w.skip -= from
	w.left -= to - from
	if _, err := w.w.Write(b[from:to]); err != nil {
		return 0, err
	}
	return len(b), nil
}

// check verifies what the forms have in common: names of their own and shapes that can be.
func check(tensors []Tensor) error {
	seen := map[string]bool{}
	for _, t := range tensors {
		if seen[t.Name] {
			return fmt.Errorf("tensor %q: the name comes twice", t.Name)
		}
		seen[t.Name] = true
		if _, err := byteSize(t.info()); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	return nil
}

// writeTensor writes a LoDTensor.
func writeTensor(w io.Writer, t Tensor) error {
	head, err := appendHeader(nil, t.info())
	if err != nil {
		return fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	return t.write(w)
}

// counter counts the bytes that it passes on.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// located adds the path to an error.
func located(path string, err error) error {
	if err != nil {
		return fmt.Errorf("paddle: %s: %w", path, err)
	}
	return nil
}

// Package paddle reads and writes weights as Paddle stores them, from fluid 1.4 to Paddle 2.
//
// Four forms are read, told apart by their content:
//
//   - a folder of LoDTensor files, one a variable, each named after it;
//   - LoDTensors one after another in one file, without names, in bytewise order of the names;
//   - a pickle of a dict from names to arrays (.pdparams, .pdopt), of protocols 0 to 5, also with arrays in parts, with the
//     names that a layer gives to its parameters, or with such dicts inside a dict;
//   - a tar archive, plain or in gzip, of any of these.
//
// The first three are written too. Beside parameters these files may hold the optimiser's state, under names that Split takes
// apart.
//
// Source: paddle/fluid/framework/lod_tensor.cc and tensor_util.cc (SerializeToStream), framework.proto, and
// python/paddle/framework/io.py of PaddlePaddle.
package paddle

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"avcu/io/pickle"
)

// DType is a type of elements, as NumPy names it.
type DType string

// The types that are read and written.
const (
	Bool     DType = "bool"
	Uint8    DType = "uint8"
	Int8     DType = "int8"
	Uint16   DType = "uint16"
	Int16    DType = "int16"
	Uint32   DType = "uint32"
	Int32    DType = "int32"
	Uint64   DType = "uint64"
	Int64    DType = "int64"
	Float16  DType = "float16"
	BFloat16 DType = "bfloat16"
	Float32  DType = "float32"
	Float64  DType = "float64"
)

// Size returns the bytes of one element, 0 for a type that is not one of this package's.
func (d DType) Size() int {
	if d == BFloat16 { // which NumPy has not
		return 2
	}
	return pickle.DType(d).Size()
}

// Info describes one tensor.
type Info struct {
	Name  string
	DType DType
	Shape []int // empty for a single number
}

// Len returns the number of elements.
func (t Info) Len() int {
	n := 1
	for _, size := range t.Shape {
		n *= size
	}
	return n
}

// source is where the elements of a tensor come from, row-major and little-endian.
type source interface {
	Reader() (*io.SectionReader, error)
}

// section is a source that lies ready in a file or in memory.
type section struct {
	r      io.ReaderAt
	off, n int64
}

func (s section) Reader() (*io.SectionReader, error) {
	return io.NewSectionReader(s.r, s.off, s.n), nil
}

type tensor struct {
	Info
	data source
	at   int64 // where in its file it begins, for messages about combined files
}

// Weights are the tensors of a file, folder or archive that is open. Methods may be called from several goroutines at once.
type Weights struct {
	path     string
	tensors  []tensor // by name
	files    []*os.File
	names    map[string]string // of parameters by the names that a layer gives them
	budget   int64             // bytes of memory that names and values may still take
	nameless bool

	mutex  sync.Mutex
	last   int // tensor that reader belongs to
	reader *io.SectionReader
}

// Open opens the weights at path and reads what they are; the data of tensors stays where it is until it is read, but for
// archives, which are held in memory. names are those of the parameters, for the form that holds none: its tensors must
// be as many, or as many as these with Adam's state of each; whether they have the right shapes is for the caller to see.
// Without names, such tensors are called #0, #1, …, and Nameless says so. An error names the file, the place and what to do.
// Close the Weights when done.
func Open(path string, names ...string) (*Weights, error) {
	w := newWeights(path)
	if err := w.open(names); err != nil {
		w.Close()
		var file *fs.PathError
		var pickled *pickle.Error
		if errors.As(err, &file) || errors.As(err, &pickled) { // they name the file
			return nil, fmt.Errorf("paddle: %w", err)
		}
		return nil, fmt.Errorf("paddle: %s: %w", path, err)
	}
	return w, nil
}

func newWeights(path string) *Weights {
	return &Weights{path: path, names: map[string]string{}, last: -1, budget: budgetBase}
}

func (w *Weights) open(names []string) error {
	parts, err := w.find()
	if err != nil {
		return err
	}
	return w.take(parts, names)
}

// take makes the tensors of all parts those of w.
func (w *Weights) take(parts []part, names []string) error {
	if err := w.join(parts, names); err != nil {
		return err
	}
	if len(w.tensors) == 0 {
		return fmt.Errorf("it holds no tensors: give the folder or file that Paddle's save functions wrote")
	}
	w.rename(w.names)
	return w.sort()
}

// sort brings the tensors into the order of their names, of which none may come twice.
func (w *Weights) sort() error {
	slices.SortStableFunc(w.tensors, func(a, b tensor) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(w.tensors); i++ {
		if name := w.tensors[i].Name; name == w.tensors[i-1].Name {
			return fmt.Errorf("tensor %q is there twice: give one file, or a folder that holds one model", name)
		}
	}
	return nil
}

// Close closes the files.
func (w *Weights) Close() error {
	var err error
	for _, f := range w.files {
		err = cmp.Or(err, f.Close())
	}
	w.files = nil
	return err
}

// Nameless reports that the weights lie in a file without names, and Open was given none.
func (w *Weights) Nameless() bool { return w.nameless }

// Tensors returns the tensors in bytewise order of their names.
func (w *Weights) Tensors() []Info {
	list := make([]Info, len(w.tensors))
	for i, t := range w.tensors {
		list[i] = t.Info
	}
	return list
}

// Tensor returns the tensor of that name, and whether there is one.
func (w *Weights) Tensor(name string) (Info, bool) {
	i, ok := w.index(name)
	if !ok {
		return Info{}, false
	}
	return w.tensors[i].Info, true
}

func (w *Weights) index(name string) (int, bool) {
	return slices.BinarySearchFunc(w.tensors, name, func(t tensor, name string) int { return strings.Compare(t.Name, name) })
}

// ParameterNames returns what the parameters were called inside Paddle, by the names of the tensors: of a model that was saved
// with state_dict. The optimiser's state is named after these in the file that belongs to it; see Rename.
func (w *Weights) ParameterNames() map[string]string { return w.names }

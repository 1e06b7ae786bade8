package kerneltest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"avcu/engine"
)

const guardBytes = 512 // of guard words before and after every argument

// outside is what lies in guard words and padding: a NaN, so that it also shows where a kernel takes it
// for data.
var outside = binary.NativeEndian.AppendUint32(nil, 0x7FA5A5A5)

// Diff is how far one written argument of a row is from the reference.
type Diff struct {
	Arg       string
	Max       float64 // largest |got−want|
	Tol       Tolerance
	OK        bool
	Got, Want float64 // at the worst element
	At        int     // its index
}

// Share is the largest error as a part of what is allowed there; 0 where nothing but equality is.
func (d Diff) Share() float64 {
	allowed := d.Tol.Abs + d.Tol.Rel*math.Abs(d.Want)
	if d.Max == 0 || allowed == 0 || math.IsInf(d.Want, 0) {
		return 0
	}
	return d.Max / allowed
}

// Compare makes the row's call on the reference and on d, and returns how far each written argument
// is from the reference's. It is an error if a call fails, or if d wrote outside its outputs: into the
// guard words round each argument, the padding between rows, or an input.
func Compare(ref, d engine.Device, row Row) ([]Diff, error) {
	want, err := Execute(ref, row)
	if err != nil {
		return nil, err
	}
	got, err := Execute(d, row)
	if err != nil {
		return nil, err
	}
	return compare(row, got, want), nil
}

func compare(row Row, got, want [][]byte) []Diff {
	var diffs []Diff
	for i, a := range row.Args {
		if !a.Write || a.Room {
			continue
		}
		g, w := Floats(a.Type, got[i]), Floats(a.Type, want[i])
		diff := Diff{Arg: a.Name, Tol: a.Tol, OK: true, At: -1}
		for k := range w {
			e, ok := math.Abs(g[k]-w[k]), a.Tol.Within(g[k], w[k])
			if ok && math.IsNaN(e) { // two infinities or two NaN
				e = 0
			}
			if diff.At < 0 || diff.OK && !ok || diff.OK == ok && e > diff.Max {
				diff.Max, diff.Got, diff.Want, diff.At = e, g[k], w[k], k
			}
			diff.OK = diff.OK && ok
		}
		diffs = append(diffs, diff)
	}
	return diffs
}

// Execute makes the row's call on d and returns the bytes of every argument afterwards, unpadded.
func Execute(d engine.Device, row Row) ([][]byte, error) {
	tensors, images, free, err := Place(d, row)
	if err != nil {
		return nil, err
	}
	defer free()
	if err := row.Call(d, tensors); err != nil {
		return nil, fmt.Errorf("%s on %s: %w", row.Name, d.Name(), err)
	}
	if err := d.Sync(); err != nil {
		return nil, err
	}
	out := make([][]byte, len(row.Args))
	for i, a := range row.Args {
		got := make([]byte, len(images[i].bytes))
		if err := d.CopyOut(got, images[i].whole.Buffer()); err != nil {
			return nil, err
		}
		if out[i], err = images[i].check(a, got); err != nil {
			return nil, fmt.Errorf("%s on %s: %w", row.Name, d.Name(), err)
		}
	}
	return out, nil
}

// image is an argument in memory: guard words, rows and padding.
type image struct {
	whole engine.Tensor // all of it, as bytes
	bytes []byte        // before the call
	mine  []bool        // the bytes that are elements
	guard int           // bytes of guard words at either end
}

// Place puts the row's arguments into the device's memory, each between guard words. On a device that
// keeps tensors apart and checks accesses itself there are none, and what the row does not initialise is
// never written.
func Place(d engine.Device, row Row) (tensors []engine.Tensor, images []image, free func(), err error) {
	var memory []*engine.Memory
	free = func() {
		for _, m := range memory {
			_ = d.Free(m)
		}
	}
	guard := guardBytes
	if d.Separate() {
		guard = 0
	}
	for _, a := range row.Args {
		rows, cols, size := 1, a.Dims[len(a.Dims)-1], int(a.Type.Size())
		for _, n := range a.Dims[:len(a.Dims)-1] {
			rows *= n
		}
		ld := max(a.LD, cols)
		bytes := 2*guard + rows*ld*size
		im := image{bytes: make([]byte, bytes), mine: make([]bool, bytes), guard: guard}
		for i := range im.bytes {
			im.bytes[i] = outside[i%len(outside)]
		}
		data := encode(a.Data)
		if data != nil && len(data) != rows*cols*size {
			free()
			return nil, nil, nil, fmt.Errorf("%s: %s has %d elements of data for %v%v", row.Name, a.Name, len(data)/size, a.Type, a.Dims)
		}
		for r := range rows {
			for k := range cols * size {
				at := guard + r*ld*size + k
				im.mine[at] = true
				im.bytes[at] = 0xFF
				if data != nil {
					im.bytes[at] = data[r*cols*size+k]
				}
			}
		}
		m, err := d.Reserve(int64(bytes))
		if err != nil {
			free()
			return nil, nil, nil, err
		}
		memory = append(memory, m)
		im.whole = engine.NewTensor(m, 0, engine.Uint8, 0, bytes)
		if data == nil && d.Separate() {
			err = d.CopyOut(im.bytes, im.whole.Buffer())
		} else {
			err = engine.Write(d, im.whole, im.bytes)
		}
		if err != nil {
			free()
			return nil, nil, nil, err
		}
		images = append(images, im)
		tensors = append(tensors, engine.NewTensor(m, int64(guard), a.Type, ld, a.Dims...))
	}
	return tensors, images, free, nil
}

// check returns the elements, and an error if anything else has changed.
func (im image) check(a Arg, got []byte) ([]byte, error) {
	var out []byte
	for i, b := range got {
		if im.mine[i] {
			out = append(out, b)
		} else if b != im.bytes[i] {
			return nil, fmt.Errorf("%s: byte %d outside its elements was overwritten", a.Name, i-im.guard)
		}
	}
	if !a.Write && !bytes.Equal(got, im.bytes) {
		return nil, fmt.Errorf("%s: an input was changed", a.Name)
	}
	return out, nil
}

package softmaxce

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/kernels/kerneltest"
)

// What labels a device holds cannot be looked at from the host: there, a row without one, or with one outside the classes,
// has loss 0 and the gradient of no label, softmax(z)·scale; the rows beside it are as ever.
func TestLabelsOutsideTheClassesOnADevice(t *testing.T) {
	const b = 8
	for _, k := range []int{5, 301} {
		row := lossRow(7, b, k, 1, true, usual)
		z := row.Args[0].Data.([]float32)
		plain := withLabels(row, []int32{0, 1, 2, 3, 4, 5, 6, 7, 8}, []int32{0, 0, 3, 0, 0, 0, 0, 0})
		// Rows 0 and 2 have a label; 1 has none, before that of 2, and 7 has none, at the end of all.
		odd := withLabels(row, []int32{0, 1, 1, 2, 3, 4, 5, 6, 6}, []int32{0, 3, -1, int32(k), math.MaxInt32, math.MinInt32})
		prob := kerneltest.Row{
			Args: []kerneltest.Arg{kerneltest.In("z", z, b, k), kerneltest.Out("p", kerneltest.Exact, b, k)},
			Call: func(d engine.Device, t []engine.Tensor) error { return Prob(d, t[0], t[1]) },
		}
		for name, d := range kerneltest.Devices(t) {
			if _, ok := d.(*cuda.Device); !ok {
				continue // host devices give an error: TestBadLabels
			}
			want, err := kerneltest.Execute(d, plain)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := kerneltest.Execute(d, odd)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			p, err := kerneltest.Execute(d, prob)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			softmax := kerneltest.Floats(engine.Float32, p[1])
			for i := range softmax {
				softmax[i] *= 0.25 // the row's scale, a power of 2: exact
			}
			for r := range b {
				each, gz := want[3][4*r:4*r+4], want[4][4*r*k:4*(r+1)*k]
				if r != 0 && r != 2 {
					each, gz = make([]byte, 4), encoded(softmax[r*k:(r+1)*k])
				}
				if !bytes.Equal(got[3][4*r:4*r+4], each) || !bytes.Equal(got[4][4*r*k:4*(r+1)*k], gz) {
					t.Errorf("%s: of %d classes: row %d has another loss or gradient", name, k, r)
				}
			}
		}
	}
}

// encoded is the bytes of float32 values.
func encoded(values []float64) (b []byte) {
	for _, v := range values {
		b = binary.NativeEndian.AppendUint32(b, math.Float32bits(float32(v)))
	}
	return b
}

// withLabels is the row with other labels.
func withLabels(row kerneltest.Row, offsets, labels []int32) kerneltest.Row {
	row.Args = append([]kerneltest.Arg(nil), row.Args...)
	row.Args[1].Data = offsets
	row.Args[2].Data, row.Args[2].Dims = labels, []int{len(labels)}
	return row
}

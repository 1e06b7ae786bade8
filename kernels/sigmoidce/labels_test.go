package sigmoidce

import (
	"bytes"
	"math"
	"testing"

	"avcu/engine/cuda"
	"avcu/kernels/kerneltest"
)

// What labels a device holds cannot be looked at from the host: there, those outside the classes are passed over, next to
// the row's memory and far from it, and for rows of one span of the kernel and of three.
func TestLabelsOutsideTheClassesOnADevice(t *testing.T) {
	for _, k := range []int{5, 301, 8192, 16500} {
		last := int32(k - 1)
		row := lossRow(7, 3, k, 1, true, usual)
		plain := withLabels(row, []int32{0, 2, 2, 3}, []int32{0, last, last})
		odd := withLabels(row, []int32{0, 6, 9, 12}, []int32{
			-1, 0, int32(k), last, math.MaxInt32, 0,
			math.MinInt32, int32(k) + 1, -8192,
			last, math.MinInt32 + 8191, int32(k) + 255,
		})
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
			if !bytes.Equal(got[3], want[3]) || !bytes.Equal(got[4], want[4]) {
				t.Errorf("%s: of %d classes: labels outside of them change the loss or its gradient", name, k)
			}
		}
	}
}

// withLabels is the row with other labels.
func withLabels(row kerneltest.Row, offsets, labels []int32) kerneltest.Row {
	row.Args = append([]kerneltest.Arg(nil), row.Args...)
	row.Args[1].Data = offsets
	row.Args[2].Data, row.Args[2].Dims = labels, []int{len(labels)}
	return row
}

package engine

import (
	"fmt"
	"math"
	"unsafe"
)

// Mask says which elements of a matrix [rows, cols] dropout keeps, in the convention that fluid calls
// downgrade_in_infer: in training an element is multiplied by 0 or 1, without rescaling, and otherwise
// by 1−Rate. Nothing is stored: a gradient takes the mask from the same counter again.
//
// The element in row r and column c is kept if and only if
//
//	Draw(Seed, Step, Layer, First+r, Column+c) ≥ DropThreshold(Rate)
//
// so a mask does not depend on the device, on how a batch is cut into micro-batches, or on how a wide
// row is cut into ranges of columns. Rate 0 keeps everything.
type Mask struct {
	Rate        float64 // probability that an element is dropped, in [0,1)
	Train       bool    // false: no mask, everything times 1−Rate
	Seed        uint64  // of the run
	Step, Layer uint32  // optimiser step, and which dropout of the model
	First       int     // row in the effective batch of the first row here
	Column      int     // column in the whole matrix of the first column here
	Given       Tensor  // uint8 [rows, cols], 1 keeps: in place of drawing, for tests
}

// Check is the error of a kernel that is given a mask for [rows, cols] which is none.
func (m Mask) Check(kernel string, rows, cols int) error {
	if !(m.Rate >= 0 && m.Rate < 1) {
		return fmt.Errorf("%s: drop rate %v is not in [0, 1)", kernel, m.Rate)
	}
	if m.First < 0 || int64(m.First)+int64(rows) > math.MaxUint32 {
		return fmt.Errorf("%s: the mask has no rows from %d to %d, only up to %d", kernel, m.First, m.First+rows, uint32(math.MaxUint32))
	}
	if m.Column < 0 || int64(m.Column)+int64(cols) > math.MaxUint32 {
		return fmt.Errorf("%s: the mask has no columns from %d to %d, only up to %d", kernel, m.Column, m.Column+cols, uint32(math.MaxUint32))
	}
	if !m.Given.IsZero() {
		return m.Given.Check(kernel, "given mask", Uint8, rows, cols)
	}
	return nil
}

// Factor is what the element in row r and column c, counted from First and Column, is multiplied by: 0
// or 1 in training, else 1−Rate. It is the definition for the kernels, one element at a time, and
// reads Given from host memory.
func (m Mask) Factor(r, c int) float64 {
	if !m.Train {
		return 1 - m.Rate
	}
	kept := false
	if m.Given.IsZero() {
		kept = Draw(m.Seed, m.Step, m.Layer, uint32(m.First+r), uint32(m.Column+c)) >= DropThreshold(m.Rate)
	} else {
		kept = *(*uint8)(unsafe.Add(m.Given.Buffer().Host(), r*m.Given.LD()+c)) != 0
	}
	if kept {
		return 1
	}
	return 0
}

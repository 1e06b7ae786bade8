// Package gather lays the windows of a convolution side by side, so that it becomes a matrix product,
// and adds their gradients back into place.
package gather

import (
	"errors"
	"fmt"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
)

// Window is the shape of a convolution's windows: Height × Width pixels, Stride pixels apart in both
// directions, over an image with Pad pixels of zeros on every side.
type Window struct{ Height, Width, Stride, Pad int }

// Out is the number of windows of k pixels along n: ⌊(n + 2·Pad − k)/Stride⌋ + 1, or 0 where none
// fits.
func (w Window) Out(n, k int) int {
	if n+2*w.Pad < k {
		return 0
	}
	return (n+2*w.Pad-k)/w.Stride + 1
}

// Columns computes, for float32 x [B,H,W,C] and cols [B,OH,OW,KH·KW·C],
//
//	cols[b,oy,ox,(i·KW+j)·C+c] = x[b, oy·Stride−Pad+i, ox·Stride−Pad+j, c]
//
// and 0 where that lies outside of x (known as im2col). Rows of both may be padded.
func Columns(d engine.Device, w Window, x, cols engine.Tensor) error {
	if err := w.check("x", x, "cols", cols); err != nil {
		return err
	}
	switch d := d.(type) {
	case *host.Ref:
		columns(w.shape(x, cols), host.Slice[float32](cols), host.Slice[float32](x))
		return nil
	case *host.CPU:
		runCPU(d, w, x, cols, false, false)
		return nil
	case *cuda.Device:
		return columnsCUDA(d, w, x, cols)
	}
	return engine.Unsupported(d, "gather")
}

// Back is the gradient of Columns: for float32 gcols [B,OH,OW,KH·KW·C] and gx [B,H,W,C], gx[b,y,x,c] is
// the sum, in the order of (i, j), of all that Columns copied from there. Rows of both may be padded.
// The sink may store or add; it cannot step.
func Back(d engine.Device, w Window, gcols, gx engine.Tensor, sink engine.Sink) error {
	if sink.Step != nil {
		return errors.New("gather: a gradient of windows cannot take an optimiser's step")
	}
	if err := w.check("gx", gx, "gcols", gcols); err != nil {
		return err
	}
	switch d := d.(type) {
	case *host.Ref:
		back(w.shape(gx, gcols), host.Slice[float32](gx), host.Slice[float32](gcols), sink.Add)
		return nil
	case *host.CPU:
		runCPU(d, w, gx, gcols, true, sink.Add)
		return nil
	case *cuda.Device:
		return backCUDA(d, w, gcols, gx, sink.Add)
	}
	return engine.Unsupported(d, "gather")
}

func (w Window) check(nameX string, x engine.Tensor, nameCols string, cols engine.Tensor) error {
	if w.Height < 1 || w.Width < 1 || w.Stride < 1 || w.Pad < 0 {
		return fmt.Errorf("gather: windows of %dx%d pixels, stride %d, padding %d cannot be: all but the padding are at least 1", w.Height, w.Width, w.Stride, w.Pad)
	}
	if err := x.Check("gather", nameX, engine.Float32, -1, -1, -1, -1); err != nil {
		return err
	}
	return cols.Check("gather", nameCols, engine.Float32, x.Dim(0), w.Out(x.Dim(1), w.Height), w.Out(x.Dim(2), w.Width), w.Height*w.Width*x.Dim(3))
}

// shape is what the reference needs to know of x, or gx, and of cols, or gcols.
func (w Window) shape(x, cols engine.Tensor) shape {
	return shape{Window: w, batch: x.Dim(0), height: x.Dim(1), width: x.Dim(2), channels: x.Dim(3), ld: x.LD(), ldCols: cols.LD()}
}

// Package activation is the elementwise functions tanh, ReLU and sigmoid and their gradients.
package activation

import (
	"errors"
	"fmt"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
)

// Kind is a function of one number.
type Kind uint8

// The functions. Of NaN each gives NaN.
const (
	Tanh    Kind = iota // (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ)
	ReLU                // max(x, 0)
	Sigmoid             // 1/(1 + e⁻ˣ)
)

// String is the function's name.
func (k Kind) String() string {
	switch k {
	case Tanh:
		return "tanh"
	case ReLU:
		return "relu"
	case Sigmoid:
		return "sigmoid"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Forward computes y = act(x) element by element, to 4 ulp, for float32 x and y of one shape, whose
// rows may be padded. Y may be x.
func Forward(d engine.Device, k Kind, x, y engine.Tensor) error {
	if err := check(k, []string{"x", "y"}, x, y); err != nil {
		return err
	}
	switch d := d.(type) {
	case *host.Ref:
		eachRow(x, func(r int) { forward(k, row(y, r), row(x, r)) })
		return nil
	case *host.CPU:
		forwardCPU(d, k, x, y)
		return nil
	case *cuda.Device:
		return forwardCUDA(d, k, x, y)
	}
	return engine.Unsupported(d, "activation")
}

// Backward computes gx = gy·act'(x) from the output y of Forward, for float32 tensors of one shape,
// whose rows may be padded:
//
//	tanh: gy·(1 − y²)    relu: gy where y > 0, else 0    sigmoid: gy·y·(1 − y)
//
// Where ReLU is off, gy does not count, whatever it is. Gx may be gy. The sink may store or add; it
// cannot step.
func Backward(d engine.Device, k Kind, y, gy, gx engine.Tensor, sink engine.Sink) error {
	if sink.Step != nil {
		return errors.New("activation: an activation's gradient cannot take an optimiser's step")
	}
	if err := check(k, []string{"y", "gy", "gx"}, y, gy, gx); err != nil {
		return err
	}
	switch d := d.(type) {
	case *host.Ref:
		eachRow(y, func(r int) { backward(k, row(gx, r), row(y, r), row(gy, r), sink.Add) })
		return nil
	case *host.CPU:
		backwardCPU(d, k, y, gy, gx, sink.Add)
		return nil
	case *cuda.Device:
		return backwardCUDA(d, k, y, gy, gx, sink.Add)
	}
	return engine.Unsupported(d, "activation")
}

func check(k Kind, names []string, tensors ...engine.Tensor) error {
	if k > Sigmoid {
		return fmt.Errorf("activation: unknown function %v", k)
	}
	for i, t := range tensors {
		if t.IsZero() || t.Type() != engine.Float32 || !t.SameShape(tensors[0]) {
			return fmt.Errorf("activation: %s is %v, want float32 shaped as %s, which is %v", names[i], t, names[0], tensors[0])
		}
	}
	return nil
}

// eachRow calls f for every row of t that has elements.
func eachRow(t engine.Tensor, f func(r int)) {
	if t.Len() == 0 {
		return
	}
	for r := range t.Rows() {
		f(r)
	}
}

func row(t engine.Tensor, r int) []float32 {
	return host.Slice[float32](t)[r*t.LD():][:t.Cols()]
}

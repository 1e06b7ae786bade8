package engine

import "fmt"

// DType is the type of a tensor's elements.
type DType uint8

const (
	Float32 DType = iota // IEEE single precision
	Uint8                // quantised features
	Int32                // class indices and offsets
)

// Size is the number of bytes of one element.
func (t DType) Size() int64 {
	if t == Uint8 {
		return 1
	}
	return 4
}

// String is the name that messages use.
func (t DType) String() string {
	switch t {
	case Float32:
		return "float32"
	case Uint8:
		return "uint8"
	case Int32:
		return "int32"
	}
	return fmt.Sprintf("DType(%d)", uint8(t))
}

// Element is any Go type that a tensor can hold.
type Element interface{ float32 | uint8 | int32 }

func typeOf[T Element]() DType {
	var zero T
	switch any(zero).(type) {
	case uint8:
		return Uint8
	case int32:
		return Int32
	}
	return Float32
}

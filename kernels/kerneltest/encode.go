package kerneltest

import (
	"encoding/binary"
	"fmt"
	"math"

	"avcu/engine"
)

// encode is the native bytes of a slice of elements; nil for nil.
func encode(data any) []byte {
	switch s := data.(type) {
	case nil:
		return nil
	case []uint8:
		return s
	case []int32:
		b := make([]byte, 0, 4*len(s))
		for _, v := range s {
			b = binary.NativeEndian.AppendUint32(b, uint32(v))
		}
		return b
	case []float32:
		b := make([]byte, 0, 4*len(s))
		for _, v := range s {
			b = binary.NativeEndian.AppendUint32(b, math.Float32bits(v))
		}
		return b
	}
	panic(fmt.Sprintf("kerneltest: data of type %T", data))
}

// Floats is the elements in b as float64.
func Floats(typ engine.DType, b []byte) []float64 {
	out := make([]float64, 0, len(b)/int(typ.Size()))
	for i := 0; i < len(b); i += int(typ.Size()) {
		switch typ {
		case engine.Uint8:
			out = append(out, float64(b[i]))
		case engine.Int32:
			out = append(out, float64(int32(binary.NativeEndian.Uint32(b[i:]))))
		default:
			out = append(out, float64(math.Float32frombits(binary.NativeEndian.Uint32(b[i:]))))
		}
	}
	return out
}

//go:build cuda

package nvidia

// What gorgonia.org/cu lacks: pinned memory, and the driver's own words for an error.

/*
#include <cuda.h>
*/
import "C"

import (
	"fmt"
	"reflect"
	"unsafe"

	"gorgonia.org/cu"

	"avcu/engine/cuda"
)

// result is an error of a call that this file makes itself.
type result int

func (r result) Error() string { return fmt.Sprintf("error %d", int(r)) }

func hostAlloc(bytes int64) (unsafe.Pointer, error) {
	var p unsafe.Pointer
	if r := C.cuMemHostAlloc(&p, C.size_t(bytes), 0); r != C.CUDA_SUCCESS {
		return nil, result(r)
	}
	return p, nil
}

// failed says what was done when a call failed, in the driver's words; nil for nil. Where memory ran out
// it wraps cuda.ErrOutOfMemory.
func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	v := reflect.ValueOf(err)
	if v.Kind() != reflect.Int {
		return err
	}
	if err == error(cu.OutOfMemory) || v.Int() == C.CUDA_ERROR_OUT_OF_MEMORY {
		return fmt.Errorf("cuda driver: %s: %w", what, cuda.ErrOutOfMemory)
	}
	var name, text *C.char
	code := C.CUresult(v.Int())
	C.cuGetErrorName(code, &name)
	C.cuGetErrorString(code, &text)
	return fmt.Errorf("cuda driver: %s: %s: %s", what, C.GoString(name), C.GoString(text))
}

//go:build cuda

package nvidia

// What gorgonia.org/cu lacks: pinned memory, the driver's own words for an error, and those of its compiler.

/*
#include <stdlib.h>
#include <cuda.h>

// Loads PTX once more, for what the compiler has to say of it.
static void why(const char *ptx, char *log, unsigned int bytes) {
	CUmodule module;
	CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
	void *values[] = {log, (void *)(size_t)bytes};
	if (cuModuleLoadDataEx(&module, ptx, 2, options, values) == CUDA_SUCCESS)
		cuModuleUnload(module);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

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

// compilerLog is what the driver's compiler says of PTX that it refused; it may be empty.
func compilerLog(ptx string) string {
	const room = 4096
	text := C.CString(ptx)
	defer C.free(unsafe.Pointer(text))
	log := (*C.char)(C.calloc(1, room))
	defer C.free(unsafe.Pointer(log))
	C.why(text, log, room-1)
	return strings.TrimSpace(C.GoString(log))
}

// failed says what was done when a call failed, in the driver's words; nil for nil. Where memory ran out
// it wraps cuda.ErrOutOfMemory. Error numbers of gorgonia.org/cu are of a type that it does not export.
func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	cause := err
	for next := err; next != nil; next = errors.Unwrap(next) {
		cause = next
	}
	v := reflect.ValueOf(cause)
	if v.Kind() != reflect.Int {
		return fmt.Errorf("cuda driver: %s: %w", what, err)
	}
	code := C.CUresult(v.Int())
	if code == C.CUDA_ERROR_OUT_OF_MEMORY {
		return fmt.Errorf("cuda driver: %s: %w", what, cuda.ErrOutOfMemory)
	}
	var name, text *C.char
	C.cuGetErrorName(code, &name)
	C.cuGetErrorString(code, &text)
	if name == nil { // newer than the driver
		return fmt.Errorf("cuda driver: %s: %w", what, err)
	}
	return fmt.Errorf("cuda driver: %s: %s: %s", what, C.GoString(name), C.GoString(text))
}

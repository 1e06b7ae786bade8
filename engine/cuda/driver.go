// Package cuda is the CUDA device of the engine: memory, streams, modules and launches over the seam
// Driver. It holds no arithmetic and needs no SDK: kernels are PTX that their own packages embed, and
// what runs them is behind the seam, either a real driver (engine/cuda/nvidia) or a virtual machine
// (engine/ptx).
package cuda

import (
	"errors"
	"time"
	"unsafe"
)

// Handles that a driver gives out. The zero handle is none, except for Stream, where it is the default
// stream.
type (
	Module   uint64
	Function uint64
	Stream   uint64
	Event    uint64
)

// Info describes a device.
type Info struct {
	Name            string
	Major, Minor    int   // compute capability
	Bytes           int64 // of global memory
	Multiprocessors int
	Driver          int // CUDA version that the driver speaks, 12090 for 12.9; 0: not a real driver
}

// FunctionInfo is what a driver knows of a loaded kernel.
type FunctionInfo struct {
	Registers   int // a thread
	SharedBytes int // static, a block
	LocalBytes  int // a thread: spills and arrays
	MaxThreads  int // a block
}

// Driver is the part of the CUDA driver that the engine needs. Addresses are device addresses. Work
// in a stream runs in order; CopyIn, CopyOut and Free wait for everything before them. A Driver is used
// by one goroutine at a time, which need not stay on one thread.
type Driver interface {
	// Devices describes what there is, before any is opened.
	Devices() ([]Info, error)
	// Open makes the context of device i current; Close destroys it with all that it holds.
	Open(i int) error
	Close() error

	Load(ptx string) (Module, error)
	Unload(m Module) error
	Function(m Module, name string) (Function, error)
	Attributes(f Function) (FunctionInfo, error)

	// Alloc returns memory whose contents are undefined, at a 256-byte boundary. Where there is not
	// enough the error is ErrOutOfMemory.
	Alloc(bytes int64) (addr uint64, err error)
	Free(addr uint64) error
	MemInfo() (free, total int64, err error)
	// HostAlloc returns pinned host memory.
	HostAlloc(bytes int64) (unsafe.Pointer, error)
	HostFree(p unsafe.Pointer) error

	CopyIn(dst uint64, src []byte) error
	CopyOut(dst []byte, src uint64) error
	// CopyInAsync copies from pinned memory, which must stay as it is until the stream has done it.
	CopyInAsync(dst uint64, src unsafe.Pointer, bytes int64, s Stream) error
	Fill(dst uint64, value byte, bytes int64, s Stream) error

	NewStream() (Stream, error)
	CloseStream(s Stream) error
	SyncStream(s Stream) error
	// Wait makes what is put into s from now on wait for e.
	Wait(s Stream, e Event) error
	NewEvent() (Event, error)
	CloseEvent(e Event) error
	Record(e Event, s Stream) error
	SyncEvent(e Event) error
	// Elapsed is the time between two recorded events that have happened.
	Elapsed(from, to Event) (time.Duration, error)

	// Launch starts a kernel. Each argument is one slot of 8 bytes whose low bytes are the parameter;
	// args may be reused when it returns.
	Launch(f Function, grid, block [3]int, sharedBytes int, s Stream, args []uint64) error
	// Sync waits for everything and returns the first error of any kernel.
	Sync() error
}

// ErrOutOfMemory is wrapped by the error of a driver that has not enough memory.
var ErrOutOfMemory = errors.New("out of device memory")

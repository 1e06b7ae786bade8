// Package engine is the small autograd engine of avcu: devices and their memory, tensors, the tape
// that records a graph once and replays it without allocating, and the counter-based random numbers
// of dropout. It holds no arithmetic: that is in kernels, one folder each.
package engine

import (
	"fmt"
	"time"
	"unsafe"
)

// Align is the boundary, in bytes, on which every tensor begins.
const Align = 256

// Device is something that holds memory and runs kernels. A kernel's Go file is the only place that
// knows how each kind of device runs it. A Device is used by one goroutine at a time.
type Device interface {
	// Name is what the user calls it: "ref", "cpu", "cuda:0".
	Name() string
	// Describe is one line for people: what it is, how many cores, which instructions.
	Describe() string
	// Arch names what a run's bits depend on, such as "avx2"; it is recorded in checkpoints.
	Arch() string
	// Alloc returns zeroed memory. Zero bytes are allowed.
	Alloc(bytes int64) (*Memory, error)
	// Reserve is Alloc without the zeroes: what the memory holds is undefined.
	Reserve(bytes int64) (*Memory, error)
	// Free returns memory to the system. Using it afterwards is a broken invariant.
	Free(m *Memory) error
	// CopyIn copies src to the device; src may be reused when it returns.
	CopyIn(dst Buffer, src []byte) error
	// CopyOut waits for the kernels that were started and copies to dst.
	CopyOut(dst []byte, src Buffer) error
	// Fill sets every byte.
	Fill(dst Buffer, value byte) error
	// Sync waits for the kernels that were started and returns what went wrong in any of them.
	Sync() error
	// Time is how long the kernels that run starts take on the device.
	Time(run func() error) (time.Duration, error)
	// Separate reports that every tensor must be an allocation of its own, so that a checking
	// device sees where each one ends.
	Separate() bool
	// Close frees what the device itself holds.
	Close() error
}

// Stager is a device with memory of its own that takes copies while its kernels run.
type Stager interface {
	Device
	// Stage begins to copy src[i] to dst[i], which no kernel uses that runs now. Src may be reused when
	// it returns.
	Stage(dst []Buffer, src [][]byte) error
	// Staged makes kernels that are started from now on wait for what was staged.
	Staged() error
}

// Borrower is a device that computes in the program's own memory; inputs of graphs need none of their own.
type Borrower interface {
	Device
	// Borrow makes m the memory of b, which stays its owner's and must not change while kernels use it.
	Borrow(m *Memory, b []byte)
}

// Memory is one allocation on a device.
type Memory struct {
	Device Device
	Bytes  int64
	Host   unsafe.Pointer // address for host devices, nil elsewhere
	Addr   uint64         // address on a device with memory of its own
	Keep   []byte         // what keeps host memory alive
}

// Buffer is a range of bytes in an allocation.
type Buffer struct {
	mem        *Memory
	off, bytes int64
}

// Bytes is the length of the range.
func (b Buffer) Bytes() int64 { return b.bytes }

// Host is the address of the first byte on a host device; nil for an empty range.
func (b Buffer) Host() unsafe.Pointer {
	if b.bytes == 0 {
		return nil
	}
	return unsafe.Add(b.mem.Host, b.off)
}

// Addr is the address of the first byte on a device with memory of its own.
func (b Buffer) Addr() uint64 { return b.mem.Addr + uint64(b.off) }

// Unsupported is the error of a kernel that has no implementation for d.
func Unsupported(d Device, kernel string) error {
	return fmt.Errorf("%s: no implementation for device %s", kernel, d.Name())
}

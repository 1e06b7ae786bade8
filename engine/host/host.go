// Package host is the room of the two devices that compute in the computer's own memory: ref, plain
// Go that defines what every kernel computes, and cpu, C kernels on all cores. It holds memory,
// long-lived workers and the detection of instruction sets, and no arithmetic.
package host

import (
	"fmt"
	"time"
	"unsafe"

	"avcu/engine"
)

// memory implements the part of engine.Device that both devices share: kernels have run to their end
// when their call returns.
type memory struct {
	device engine.Device
	bf16   bool
}

// BF16 reports that matrix products round their operands to bfloat16 (8 bits of precision, the range of
// float32) and sum in float32.
func (h *memory) BF16() bool { return h.bf16 }

// Alloc returns zeroed memory outside Go's heap.
func (h *memory) Alloc(bytes int64) (*engine.Memory, error) {
	m := &engine.Memory{Device: h.device, Bytes: bytes}
	if bytes < 0 {
		return nil, fmt.Errorf("host: allocating %d bytes", bytes)
	}
	if bytes == 0 {
		return m, nil
	}
	b, err := allocate(bytes)
	if err != nil {
		return nil, err
	}
	m.Keep, m.Host = b, unsafe.Pointer(&b[0])
	return m, nil
}

// Reserve is Alloc: fresh pages hold zeroes anyway.
func (h *memory) Reserve(bytes int64) (*engine.Memory, error) { return h.Alloc(bytes) }

// Free unmaps memory.
func (h *memory) Free(m *engine.Memory) error {
	if m.Keep == nil {
		return nil
	}
	b := m.Keep
	m.Keep, m.Host, m.Bytes = nil, nil, 0
	return release(b)
}

// Borrow makes m the memory of b.
func (h *memory) Borrow(m *engine.Memory, b []byte) {
	*m = engine.Memory{Device: h.device, Bytes: int64(len(b)), Host: unsafe.Pointer(unsafe.SliceData(b)), Keep: b}
}

// CopyIn copies src to dst.
func (h *memory) CopyIn(dst engine.Buffer, src []byte) error {
	if int64(len(src)) != dst.Bytes() {
		return fmt.Errorf("host: copying %d bytes into %d", len(src), dst.Bytes())
	}
	copy(bytesAt(dst), src)
	return nil
}

// CopyOut copies src to dst.
func (h *memory) CopyOut(dst []byte, src engine.Buffer) error {
	if int64(len(dst)) != src.Bytes() {
		return fmt.Errorf("host: copying %d bytes into %d", src.Bytes(), len(dst))
	}
	copy(dst, bytesAt(src))
	return nil
}

// Fill sets every byte of dst.
func (h *memory) Fill(dst engine.Buffer, value byte) error {
	b := bytesAt(dst)
	for i := range b {
		b[i] = value
	}
	return nil
}

// Sync has nothing to wait for.
func (h *memory) Sync() error { return nil }

// Time is the time that run takes.
func (h *memory) Time(run func() error) (time.Duration, error) {
	start := time.Now()
	err := run()
	return time.Since(start), err
}

// Separate is false: one block holds many tensors.
func (h *memory) Separate() bool { return false }

func bytesAt(b engine.Buffer) []byte {
	return unsafe.Slice((*byte)(b.Host()), b.Bytes())
}

// Slice is the memory of t on a host device as a Go slice: Span elements, padding between rows
// included. T must be t's type.
func Slice[T engine.Element](t engine.Tensor) []T {
	b := t.Buffer()
	var zero T
	if int64(unsafe.Sizeof(zero)) != t.Type().Size() {
		panic(fmt.Sprintf("host: %v seen as elements of %d bytes", t, unsafe.Sizeof(zero)))
	}
	return unsafe.Slice((*T)(b.Host()), t.Span())
}

// Ref is the reference device: pure Go, float64 sums, one goroutine.
type Ref struct{ memory }

// NewRef makes a reference device.
func NewRef() *Ref {
	r := &Ref{}
	r.device = r
	return r
}

// NewRefBF16 makes a reference device whose matrix products round their operands to bfloat16.
func NewRefBF16() *Ref {
	r := NewRef()
	r.bf16 = true
	return r
}

// Name is "ref".
func (r *Ref) Name() string { return "ref" }

// Describe says what it is.
func (r *Ref) Describe() string {
	s := "reference in pure Go, float64 sums, one core"
	if r.bf16 {
		s += ", bfloat16 products"
	}
	return s
}

// Arch is "ref", or "ref+bf16".
func (r *Ref) Arch() string {
	if r.bf16 {
		return "ref+bf16"
	}
	return "ref"
}

// Close has nothing to free.
func (r *Ref) Close() error { return nil }

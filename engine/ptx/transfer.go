package ptx

import (
	"fmt"
	"time"
	"unsafe"

	"avcu/engine/cuda"
)

// Alloc returns memory whose bytes are 0xFF, and count as never written until a copy, a fill or a kernel
// writes them.
func (d *Driver) Alloc(bytes int64) (uint64, error) {
	if err := d.ready(); err != nil {
		return 0, err
	}
	a, err := d.heap.alloc(bytes)
	if err != nil {
		return 0, err
	}
	return a.addr, nil
}

// Free takes memory back. Its address is not used again before the memory runs out.
func (d *Driver) Free(addr uint64) error {
	if !d.open {
		return d.ready()
	}
	return d.heap.free(addr)
}

// MemInfo is the memory that is free, and all.
func (d *Driver) MemInfo() (free, total int64, err error) {
	if err := d.ready(); err != nil {
		return 0, 0, err
	}
	return d.heap.total - d.heap.used, d.heap.total, nil
}

// HostAlloc is Go memory.
func (d *Driver) HostAlloc(bytes int64) (unsafe.Pointer, error) {
	if err := d.ready(); err != nil {
		return nil, err
	}
	if bytes <= 0 {
		return nil, fmt.Errorf("ptx: allocating %d bytes of host memory", bytes)
	}
	b := aligned(int(bytes))
	p := unsafe.Pointer(unsafe.SliceData(b))
	d.host[p] = b
	return p, nil
}

// HostFree forgets it.
func (d *Driver) HostFree(p unsafe.Pointer) error {
	if !d.open {
		return d.ready()
	}
	if d.host[p] == nil {
		return fmt.Errorf("ptx: freeing host memory that was not allocated")
	}
	delete(d.host, p)
	return nil
}

// CopyIn copies to the device.
func (d *Driver) CopyIn(dst uint64, src []byte) error {
	if err := d.ready(); err != nil {
		return err
	}
	a, b, err := d.heap.bytes(dst, int64(len(src)))
	if err != nil {
		return err
	}
	copy(b, src)
	a.mark(int64(dst-a.addr), int64(len(src)))
	return nil
}

// CopyOut copies from the device; bytes that were never written come as they are.
func (d *Driver) CopyOut(dst []byte, src uint64) error {
	if err := d.ready(); err != nil {
		return err
	}
	_, b, err := d.heap.bytes(src, int64(len(dst)))
	if err != nil {
		return err
	}
	copy(dst, b)
	return nil
}

// CopyInAsync copies at once.
func (d *Driver) CopyInAsync(dst uint64, src unsafe.Pointer, bytes int64, s cuda.Stream) error {
	if err := d.stream(s); err != nil {
		return err
	}
	if int64(len(d.host[src])) < bytes {
		return fmt.Errorf("ptx: copying %d bytes from host memory that is not pinned, or shorter", bytes)
	}
	return d.CopyIn(dst, unsafe.Slice((*byte)(src), bytes))
}

// Fill sets every byte.
func (d *Driver) Fill(dst uint64, value byte, bytes int64, s cuda.Stream) error {
	if err := d.ready(); err != nil {
		return err
	}
	if err := d.stream(s); err != nil {
		return err
	}
	a, b, err := d.heap.bytes(dst, bytes)
	if err != nil {
		return err
	}
	for i := range b {
		b[i] = value
	}
	a.mark(int64(dst-a.addr), bytes)
	return nil
}

// stream is an error for a handle that is none.
func (d *Driver) stream(s cuda.Stream) error {
	if s != 0 && !d.streams[s] {
		return fmt.Errorf("ptx: there is no stream %d", s)
	}
	return nil
}

// NewStream makes a stream; all do their work at once.
func (d *Driver) NewStream() (cuda.Stream, error) {
	if err := d.ready(); err != nil {
		return 0, err
	}
	s := cuda.Stream(d.handle())
	d.streams[s] = true
	return s, nil
}

// CloseStream ends a stream.
func (d *Driver) CloseStream(s cuda.Stream) error {
	if !d.streams[s] {
		return fmt.Errorf("ptx: there is no stream %d", s)
	}
	delete(d.streams, s)
	return nil
}

// SyncStream has nothing to wait for.
func (d *Driver) SyncStream(s cuda.Stream) error {
	if err := d.ready(); err != nil {
		return err
	}
	return d.stream(s)
}

// Wait has nothing to wait for.
func (d *Driver) Wait(s cuda.Stream, e cuda.Event) error {
	if err := d.SyncStream(s); err != nil {
		return err
	}
	return d.SyncEvent(e)
}

// NewEvent makes an event that has not been recorded.
func (d *Driver) NewEvent() (cuda.Event, error) {
	if err := d.ready(); err != nil {
		return 0, err
	}
	e := cuda.Event(d.handle())
	d.events[e] = time.Time{}
	return e, nil
}

// CloseEvent ends an event.
func (d *Driver) CloseEvent(e cuda.Event) error {
	if _, ok := d.events[e]; !ok {
		return fmt.Errorf("ptx: there is no event %d", e)
	}
	delete(d.events, e)
	return nil
}

// Record notes the time.
func (d *Driver) Record(e cuda.Event, s cuda.Stream) error {
	if err := d.SyncStream(s); err != nil {
		return err
	}
	if _, ok := d.events[e]; !ok {
		return fmt.Errorf("ptx: there is no event %d", e)
	}
	d.events[e] = time.Now()
	return nil
}

// SyncEvent has nothing to wait for.
func (d *Driver) SyncEvent(e cuda.Event) error {
	if err := d.ready(); err != nil {
		return err
	}
	if _, ok := d.events[e]; !ok {
		return fmt.Errorf("ptx: there is no event %d", e)
	}
	return nil
}

// Elapsed is the time between two records.
func (d *Driver) Elapsed(from, to cuda.Event) (time.Duration, error) {
	if err := d.ready(); err != nil {
		return 0, err
	}
	a, b := d.events[from], d.events[to]
	if a.IsZero() || b.IsZero() {
		return 0, fmt.Errorf("ptx: an event was not recorded")
	}
	return b.Sub(a), nil
}

// Sync returns what went wrong.
func (d *Driver) Sync() error { return d.ready() }

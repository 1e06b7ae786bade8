//go:build cuda

package nvidia

import (
	"unsafe"

	"gorgonia.org/cu"

	"avcu/engine/cuda"
)

// Alloc allocates device memory.
func (d *Driver) Alloc(bytes int64) (addr uint64, err error) {
	err = d.call("allocating memory", func() error {
		p, err := cu.MemAlloc(bytes)
		addr = uint64(p)
		return err
	})
	return addr, err
}

// Free frees device memory when everything that may use it is done, which cuMemFree does not promise.
func (d *Driver) Free(addr uint64) error {
	return d.call("freeing memory", func() error {
		if err := cu.Synchronize(); err != nil {
			return err
		}
		return cu.MemFree(cu.DevicePtr(addr))
	})
}

// MemInfo is how much memory the device has.
func (d *Driver) MemInfo() (free, total int64, err error) {
	err = d.call("asking for free memory", func() (err error) {
		free, total, err = cu.MemInfo()
		return err
	})
	return free, total, err
}

// HostAlloc allocates pinned memory.
func (d *Driver) HostAlloc(bytes int64) (p unsafe.Pointer, err error) {
	err = d.call("pinning host memory", func() error {
		p, err = hostAlloc(bytes)
		return err
	})
	return p, err
}

// HostFree frees pinned memory.
func (d *Driver) HostFree(p unsafe.Pointer) error {
	return d.call("freeing pinned memory", func() error { return cu.MemFreeHost(p) })
}

// CopyIn copies to the device and waits. From memory that is not pinned cuMemcpyHtoD may return as soon
// as the bytes are on their way, in the default stream, for which ours do not wait.
func (d *Driver) CopyIn(dst uint64, src []byte) error {
	return d.call("copying to the device", func() error {
		if err := cu.MemcpyHtoD(cu.DevicePtr(dst), unsafe.Pointer(&src[0]), int64(len(src))); err != nil {
			return err
		}
		return cu.Stream{}.Synchronize()
	})
}

// CopyOut copies from the device and waits.
func (d *Driver) CopyOut(dst []byte, src uint64) error {
	return d.call("copying from the device", func() error {
		return cu.MemcpyDtoH(unsafe.Pointer(&dst[0]), cu.DevicePtr(src), int64(len(dst)))
	})
}

// CopyInAsync begins to copy pinned memory to the device.
func (d *Driver) CopyInAsync(dst uint64, src unsafe.Pointer, bytes int64, s cuda.Stream) error {
	return d.call("copying to the device", func() error {
		return cu.MemcpyHtoDAsync(cu.DevicePtr(dst), src, bytes, d.streams.at(uint64(s)))
	})
}

// Fill sets bytes.
func (d *Driver) Fill(dst uint64, value byte, bytes int64, s cuda.Stream) error {
	return d.call("setting memory", func() error {
		return cu.MemsetD8Async(cu.DevicePtr(dst), value, bytes, d.streams.at(uint64(s)))
	})
}

// NewStream makes a stream that does not wait for the default one.
func (d *Driver) NewStream() (cuda.Stream, error) {
	var s cu.Stream
	err := d.call("making a stream", func() (err error) {
		s, err = cu.MakeStream(cu.NonBlocking)
		return err
	})
	if err != nil {
		return 0, err
	}
	return cuda.Stream(d.streams.add(s)), nil
}

// CloseStream destroys a stream.
func (d *Driver) CloseStream(s cuda.Stream) error {
	stream := d.streams.at(uint64(s))
	defer d.streams.drop(uint64(s))
	return d.call("destroying a stream", stream.Destroy)
}

// SyncStream waits for a stream.
func (d *Driver) SyncStream(s cuda.Stream) error {
	return d.call("waiting for a stream", d.streams.at(uint64(s)).Synchronize)
}

// Wait makes a stream wait for an event.
func (d *Driver) Wait(s cuda.Stream, e cuda.Event) error {
	return d.call("waiting for an event", func() error { return d.streams.at(uint64(s)).Wait(d.events.at(uint64(e)), 0) })
}

// NewEvent makes an event.
func (d *Driver) NewEvent() (cuda.Event, error) {
	var e cu.Event
	err := d.call("making an event", func() (err error) {
		e, err = cu.MakeEvent(cu.DefaultEvent)
		return err
	})
	if err != nil {
		return 0, err
	}
	return cuda.Event(d.events.add(e)), nil
}

// CloseEvent destroys an event.
func (d *Driver) CloseEvent(e cuda.Event) error {
	event := d.events.at(uint64(e))
	defer d.events.drop(uint64(e))
	return d.call("destroying an event", func() error { return cu.DestroyEvent(&event) })
}

// Record puts an event into a stream.
func (d *Driver) Record(e cuda.Event, s cuda.Stream) error {
	return d.call("recording an event", func() error { return d.events.at(uint64(e)).Record(d.streams.at(uint64(s))) })
}

// SyncEvent waits for an event.
func (d *Driver) SyncEvent(e cuda.Event) error {
	return d.call("waiting for an event", d.events.at(uint64(e)).Synchronize)
}

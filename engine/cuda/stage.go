package cuda

import (
	"fmt"
	"unsafe"

	"avcu/engine"
)

// pinned is host memory that the device reads while the processor goes on.
type pinned struct {
	at    unsafe.Pointer
	bytes int64
}

func (p *pinned) free(drv Driver) error {
	if p.at == nil {
		return nil
	}
	at := p.at
	*p = pinned{}
	return drv.HostFree(at)
}

// Stage begins to copy src[i] to dst[i], beside the kernels that run; src may be reused when it
// returns. Kernels that are started after Staged wait for it. There is one staged copy at a time.
func (d *Device) Stage(dst []engine.Buffer, src [][]byte) error {
	if err := d.drv.SyncEvent(d.staged); err != nil { // the pinned memory is free again
		return err
	}
	for len(d.pinned) < len(dst) {
		d.pinned = append(d.pinned, pinned{})
	}
	for i, b := range dst {
		n := int64(len(src[i]))
		if n != b.Bytes() {
			return fmt.Errorf("cuda: staging %d bytes into %d", n, b.Bytes())
		}
		p := &d.pinned[i]
		if p.bytes < n {
			if err := p.free(d.drv); err != nil {
				return err
			}
			at, err := d.drv.HostAlloc(n)
			if err != nil {
				return fmt.Errorf("cuda: pinning %d MB of host memory: %w", n>>20, err)
			}
			*p = pinned{at, n}
		}
		if n == 0 {
			continue
		}
		copy(unsafe.Slice((*byte)(p.at), n), src[i])
		if err := d.drv.CopyInAsync(b.Addr(), p.at, n, d.copies); err != nil {
			return err
		}
	}
	return d.drv.Record(d.staged, d.copies)
}

// Staged makes kernels that are started from now on wait for the last staged copy.
func (d *Device) Staged() error { return d.drv.Wait(d.compute, d.staged) }

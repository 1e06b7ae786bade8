package cuda

import (
	"errors"
	"fmt"
	"math"
	"time"

	"avcu/engine"
)

// Device is a CUDA device: kernels and copies run in its streams, and errors of kernels show at the
// next call that waits.
type Device struct {
	drv  Driver
	opt  Options
	info Info

	compute, copies Stream
	start, stop     Event // of Time
	staged          Event // the last staged copy
	modules         map[*Source]*module
	args            []uint64
	scratch         *engine.Memory
	pinned          []pinned
	launches        int64
	lost            bool // a kernel failed, and its context with all that it holds is gone
}

// Options of Open.
type Options struct {
	Index  int    // which device
	Name   string // what the user calls it; empty: "cuda:Index"
	Arch   string // what bits depend on; empty: the compute capability
	Checks bool   // each tensor an allocation of its own, memory not cleared beforehand, and a wait after each launch
}

// Open makes a device of a driver.
func Open(drv Driver, o Options) (*Device, error) {
	list, err := drv.Devices()
	if err != nil {
		return nil, err
	}
	if o.Index < 0 || o.Index >= len(list) {
		return nil, fmt.Errorf("cuda: there is no device %d; the driver lists %d", o.Index, len(list))
	}
	d := &Device{drv: drv, opt: o, info: list[o.Index], modules: map[*Source]*module{}}
	if d.opt.Name == "" {
		d.opt.Name = fmt.Sprintf("cuda:%d", o.Index)
	}
	if d.opt.Arch == "" {
		d.opt.Arch = fmt.Sprintf("sm_%d%d", d.info.Major, d.info.Minor)
	}
	if err := drv.Open(o.Index); err != nil {
		return nil, fmt.Errorf("cuda: opening device %d, %s: %w", o.Index, d.info.Name, err)
	}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(err, drv.Close())
	}
	return d, nil
}

func (d *Device) prepare() (err error) {
	for _, s := range []*Stream{&d.compute, &d.copies} {
		if *s, err = d.drv.NewStream(); err != nil {
			return fmt.Errorf("cuda: making a stream: %w", err)
		}
	}
	for _, e := range []*Event{&d.start, &d.stop, &d.staged} {
		if *e, err = d.drv.NewEvent(); err != nil {
			return fmt.Errorf("cuda: making an event: %w", err)
		}
	}
	return nil
}

// Name is "cuda:0", or what Options said.
func (d *Device) Name() string { return d.opt.Name }

// Arch is the compute capability, such as "sm_61".
func (d *Device) Arch() string { return d.opt.Arch }

// Info describes the device.
func (d *Device) Info() Info { return d.info }

// Describe is the device's own name, compute capability and memory.
func (d *Device) Describe() string { return d.info.String() }

// String is one line for people.
func (i Info) String() string {
	s := fmt.Sprintf("%s, compute capability %d.%d, %d multiprocessors, %d MB", i.Name, i.Major, i.Minor, i.Multiprocessors, i.Bytes>>20)
	if i.Driver > 0 {
		s += fmt.Sprintf(", driver for CUDA %d.%d", i.Driver/1000, i.Driver%1000/10)
	}
	return s
}

// Launches is the number of kernels started so far.
func (d *Device) Launches() int64 { return d.launches }

// Separate reports that every tensor is an allocation of its own.
func (d *Device) Separate() bool { return d.opt.Checks }

// Alloc returns zeroed memory.
func (d *Device) Alloc(bytes int64) (*engine.Memory, error) {
	m, err := d.Reserve(bytes)
	if err != nil || bytes == 0 {
		return m, err
	}
	if err := d.drv.Fill(m.Addr, 0, bytes, d.compute); err != nil {
		return nil, errors.Join(fmt.Errorf("cuda: clearing %d MB: %w", bytes>>20, err), d.drv.Free(m.Addr))
	}
	return m, nil
}

// Reserve returns memory with undefined contents.
func (d *Device) Reserve(bytes int64) (*engine.Memory, error) {
	m := &engine.Memory{Device: d, Bytes: bytes}
	if bytes < 0 {
		return nil, fmt.Errorf("cuda: allocating %d bytes", bytes)
	}
	if bytes == 0 {
		return m, nil
	}
	addr, err := d.drv.Alloc(bytes)
	if err != nil {
		return nil, d.allocError(bytes, err)
	}
	m.Addr = addr
	return m, nil
}

func (d *Device) allocError(bytes int64, err error) error {
	if !errors.Is(err, ErrOutOfMemory) {
		return fmt.Errorf("cuda: allocating %d MB: %w", bytes>>20, err)
	}
	free, total, infoErr := d.drv.MemInfo()
	if infoErr != nil {
		return fmt.Errorf("cuda: asked for %d MB: %w", bytes>>20, err)
	}
	return &MemoryError{Asked: bytes, Free: free, Total: total, err: err}
}

// MemoryError is an allocation that the device has no room for.
type MemoryError struct {
	Asked, Free, Total int64 // bytes
	err                error
}

// Error says how much was asked for and how much there is.
func (e *MemoryError) Error() string {
	return fmt.Sprintf("cuda: asked for %s where %s of %s are free: %v", size(e.Asked), size(e.Free), size(e.Total), e.err)
}

// size is a number of bytes for people.
func size(bytes int64) string {
	if bytes < 10<<20 {
		return fmt.Sprintf("%d KB", (bytes+1023)>>10)
	}
	return fmt.Sprintf("%d MB", bytes>>20)
}

// Unwrap is ErrOutOfMemory, wrapped.
func (e *MemoryError) Unwrap() error { return e.err }

// Free returns memory.
func (d *Device) Free(m *engine.Memory) error {
	if m.Addr == 0 {
		return nil
	}
	addr := m.Addr
	m.Addr, m.Bytes = 0, 0
	if d.lost {
		return nil
	}
	return d.drv.Free(addr)
}

// CopyIn copies src to dst, after the kernels that were started.
func (d *Device) CopyIn(dst engine.Buffer, src []byte) error {
	if int64(len(src)) != dst.Bytes() {
		return fmt.Errorf("cuda: copying %d bytes into %d", len(src), dst.Bytes())
	}
	if len(src) == 0 {
		return nil
	}
	if err := d.wait(); err != nil {
		return err
	}
	return d.drv.CopyIn(dst.Addr(), src)
}

// CopyOut copies src to dst, after the kernels that were started.
func (d *Device) CopyOut(dst []byte, src engine.Buffer) error {
	if int64(len(dst)) != src.Bytes() {
		return fmt.Errorf("cuda: copying %d bytes into %d", src.Bytes(), len(dst))
	}
	if len(dst) == 0 {
		return nil
	}
	if err := d.wait(); err != nil {
		return err
	}
	return d.drv.CopyOut(dst, src.Addr())
}

// Fill sets every byte.
func (d *Device) Fill(dst engine.Buffer, value byte) error {
	if dst.Bytes() == 0 {
		return nil
	}
	return d.drv.Fill(dst.Addr(), value, dst.Bytes(), d.compute)
}

// Sync waits for everything that was started.
func (d *Device) Sync() error { return d.failed(d.drv.Sync()) }

// wait waits for the kernels.
func (d *Device) wait() error { return d.failed(d.drv.SyncStream(d.compute)) }

// failed notes that a call that reports errors of kernels did.
func (d *Device) failed(err error) error {
	d.lost = d.lost || err != nil
	return err
}

// Time is how long what run starts takes on the device.
func (d *Device) Time(run func() error) (time.Duration, error) {
	if err := d.drv.Record(d.start, d.compute); err != nil {
		return 0, err
	}
	if err := run(); err != nil {
		return 0, err
	}
	if err := d.drv.Record(d.stop, d.compute); err != nil {
		return 0, err
	}
	if err := d.drv.SyncEvent(d.stop); err != nil {
		return 0, err
	}
	return d.drv.Elapsed(d.start, d.stop)
}

// Scratch is memory for one launch, or for launches that follow each other: the next call may hand out
// the same. Its contents are undefined.
func (d *Device) Scratch(bytes int64) (uint64, error) {
	if d.scratch != nil && d.scratch.Bytes >= bytes && !d.opt.Checks {
		return d.scratch.Addr, nil
	}
	if d.scratch != nil {
		if err := d.wait(); err != nil {
			return 0, err
		}
		if err := d.Free(d.scratch); err != nil {
			return 0, err
		}
		d.scratch = nil
	}
	m, err := d.Reserve(bytes)
	if err != nil {
		return 0, fmt.Errorf("scratch memory: %w", err)
	}
	d.scratch = m
	return m.Addr, nil
}

// Close returns everything to the driver. After a kernel has failed there is nothing left to return.
func (d *Device) Close() error {
	if d.lost {
		_ = d.drv.Close()
		return nil
	}
	var errs []error
	if d.scratch != nil {
		errs = append(errs, d.Free(d.scratch))
	}
	for i := range d.pinned {
		errs = append(errs, d.pinned[i].free(d.drv))
	}
	for _, m := range d.modules {
		errs = append(errs, d.drv.Unload(m.handle))
	}
	for _, e := range []Event{d.start, d.stop, d.staged} {
		errs = append(errs, d.drv.CloseEvent(e))
	}
	for _, s := range []Stream{d.compute, d.copies} {
		errs = append(errs, d.drv.CloseStream(s))
	}
	return errors.Join(append(errs, d.drv.Close())...)
}

// F32 is a float32 argument of a launch.
func F32(x float64) uint64 { return uint64(math.Float32bits(float32(x))) }

// F64 is a float64 argument of a launch.
func F64(x float64) uint64 { return math.Float64bits(x) }

// Int is an integer argument of a launch, of 32 or 64 bits.
func Int(x int) uint64 { return uint64(x) }

// Bool is an int argument, 0 or 1.
func Bool(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// Addr is the address of a tensor's first element; 0 for the zero Tensor and for an empty one.
func Addr(t engine.Tensor) uint64 {
	if t.IsZero() || t.Span() == 0 {
		return 0
	}
	return t.Buffer().Addr()
}

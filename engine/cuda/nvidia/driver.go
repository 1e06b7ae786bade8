//go:build cuda

package nvidia

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"gorgonia.org/cu"

	"avcu/engine/cuda"
)

// Driver implements cuda.Driver. A CUDA context is current in an OS thread, and a goroutine may move
// between those, so every call makes the context current in its own.
type Driver struct {
	ctx       cu.CUContext
	open      bool
	modules   table[cu.Module]
	functions table[cu.Function]
	streams   table[cu.Stream]
	events    table[cu.Event]
	params    []unsafe.Pointer // of the launch at hand
}

// New is the driver before a device is opened.
func New() *Driver { return &Driver{} }

// table gives out handles from 1 on.
type table[T any] struct {
	list []T
	free []int
}

func (t *table[T]) add(v T) uint64 {
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		t.list[i] = v
		return uint64(i + 1)
	}
	t.list = append(t.list, v)
	return uint64(len(t.list))
}

// at is the value of a handle; handle 0 is the zero value.
func (t *table[T]) at(handle uint64) (v T) {
	if handle > 0 {
		v = t.list[handle-1]
	}
	return v
}

func (t *table[T]) drop(handle uint64) { t.free = append(t.free, int(handle-1)) }

// enter makes the context current; leave lets the goroutine move again.
func (d *Driver) enter() error {
	runtime.LockOSThread()
	if !d.open {
		return fmt.Errorf("cuda driver: no device is open")
	}
	return failed("making the context current", cu.SetCurrentContext(d.ctx))
}

func (d *Driver) leave() { runtime.UnlockOSThread() }

// call runs f with the context current.
func (d *Driver) call(what string, f func() error) error {
	defer d.leave()
	if err := d.enter(); err != nil {
		return err
	}
	return failed(what, f())
}

// Devices describes what the driver lists.
func (d *Driver) Devices() ([]cuda.Info, error) {
	n, err := cu.NumDevices()
	if err != nil {
		return nil, failed("counting devices", err)
	}
	list := make([]cuda.Info, n)
	for i := range list {
		if list[i], err = describe(cu.Device(i)); err != nil {
			return nil, failed(fmt.Sprintf("describing device %d", i), err)
		}
	}
	return list, nil
}

func describe(dev cu.Device) (info cuda.Info, err error) {
	info.Driver = cu.Version()
	if info.Name, err = dev.Name(); err != nil {
		return info, err
	}
	if info.Bytes, err = dev.TotalMem(); err != nil {
		return info, err
	}
	for attribute, to := range map[cu.DeviceAttribute]*int{
		cu.ComputeCapabilityMajor: &info.Major, cu.ComputeCapabilityMinor: &info.Minor, cu.MultiprocessorCount: &info.Multiprocessors,
	} {
		if *to, err = dev.Attribute(attribute); err != nil {
			return info, err
		}
	}
	return info, nil
}

// Open makes a context on device i.
func (d *Driver) Open(i int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	dev, err := cu.GetDevice(i)
	if err != nil {
		return failed("getting the device", err)
	}
	if d.ctx, err = dev.MakeContext(cu.SchedAuto); err != nil {
		return failed("making a context", err)
	}
	d.open = true
	return nil
}

// Close destroys the context.
func (d *Driver) Close() error {
	if !d.open {
		return nil
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	d.open = false
	return failed("destroying the context", d.ctx.Destroy())
}

// Load compiles PTX for the device.
func (d *Driver) Load(ptx string) (cuda.Module, error) {
	var m cu.Module
	var log string
	err := d.call("loading PTX", func() (err error) {
		if m, err = cu.LoadData(ptx); err != nil {
			log = compilerLog(ptx)
		}
		return err
	})
	if err != nil && log != "" {
		return 0, fmt.Errorf("%w: %s", err, log)
	} else if err != nil {
		return 0, err
	}
	return cuda.Module(d.modules.add(m)), nil
}

// Unload frees a module.
func (d *Driver) Unload(m cuda.Module) error {
	defer d.modules.drop(uint64(m))
	return d.call("unloading a module", d.modules.at(uint64(m)).Unload)
}

// Function finds a kernel.
func (d *Driver) Function(m cuda.Module, name string) (cuda.Function, error) {
	var f cu.Function
	err := d.call("finding kernel "+name, func() (err error) {
		f, err = d.modules.at(uint64(m)).Function(name)
		return err
	})
	if err != nil {
		return 0, err
	}
	return cuda.Function(d.functions.add(f)), nil
}

// Attributes asks what a kernel takes.
func (d *Driver) Attributes(f cuda.Function) (info cuda.FunctionInfo, err error) {
	fn := d.functions.at(uint64(f))
	err = d.call("asking for a kernel's attributes", func() error {
		for attribute, to := range map[cu.FunctionAttribute]*int{
			cu.NumRegs: &info.Registers, cu.SharedSizeBytes: &info.SharedBytes, cu.LocalSizeBytes: &info.LocalBytes, cu.FnMaxThreadsPerBlock: &info.MaxThreads,
		} {
			v, err := fn.Attribute(attribute)
			if err != nil {
				return err
			}
			*to = v
		}
		return nil
	})
	return info, err
}

// Launch starts a kernel.
func (d *Driver) Launch(f cuda.Function, grid, block [3]int, shared int, s cuda.Stream, args []uint64) error {
	defer d.leave()
	if err := d.enter(); err != nil {
		return err
	}
	d.params = d.params[:0]
	for i := range args {
		d.params = append(d.params, unsafe.Pointer(&args[i]))
	}
	return failed("starting the kernel", d.functions.at(uint64(f)).Launch(grid[0], grid[1], grid[2], block[0], block[1], block[2], shared, d.streams.at(uint64(s)), d.params))
}

// Sync waits for everything.
func (d *Driver) Sync() error { return d.call("waiting for the device", cu.Synchronize) }

// Elapsed is the time between two events.
func (d *Driver) Elapsed(from, to cuda.Event) (time.Duration, error) {
	var ms float64
	err := d.call("measuring time", func() (err error) {
		ms, err = d.events.at(uint64(from)).Elapsed(d.events.at(uint64(to)))
		return err
	})
	return time.Duration(ms * float64(time.Millisecond)), err
}

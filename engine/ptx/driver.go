package ptx

import (
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"avcu/engine/cuda"
)

// Options of NewDriver.
type Options struct {
	Memory   []byte // backing store of device memory, address Base + offset; nil: Go memory, a slice an allocation
	Bytes    int64  // device memory to offer; 0: 24 GB, or all of Memory
	Workers  int    // blocks that run at once; 0: all cores
	Permute  uint64 // not 0: blocks start in an order permuted by this seed, and so do the warps of each
	NoChecks bool   // no checks for races and for never-written memory; bounds are always checked
	Count    bool   // collect Counters
	// Slice, with Count, names the blocks [from, to) that run, by linear index; nil: all.
	Slice func(grid [3]int) (from, to int)
}

// Driver is a CUDA driver whose one device is the virtual machine. Everything is done when a call
// returns, and what a kernel did wrong is the error of its Launch and of every call after it, as with a
// real driver whose context is lost: Close alone goes on.
type Driver struct {
	opt      Options
	open     bool
	heap     *heap
	handles  uint64
	modules  map[cuda.Module]*loaded
	kernels  map[cuda.Function]function
	host     map[unsafe.Pointer][]byte
	events   map[cuda.Event]time.Time
	streams  map[cuda.Stream]bool
	launches uint64
	patience int64
	lost     error
	counters map[string]*Counters
}

type loaded struct {
	*Module
	variables map[string]uint64
}

type function struct {
	module *loaded
	kernel *kernel
}

var _ cuda.Driver = (*Driver)(nil)

const defaultBytes = 24 << 30

// NewDriver makes a driver. The device is opened by Open.
func NewDriver(o Options) *Driver {
	if o.Bytes == 0 {
		o.Bytes = defaultBytes
		if o.Memory != nil {
			o.Bytes = int64(len(o.Memory))
		}
	}
	return &Driver{opt: o, patience: patience, counters: map[string]*Counters{}}
}

// Devices lists the virtual machine.
func (d *Driver) Devices() ([]cuda.Info, error) {
	workers := d.opt.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return []cuda.Info{{Name: "PTX virtual machine", Major: 6, Minor: 1, Bytes: d.opt.Bytes, Multiprocessors: workers}}, nil
}

// Open makes the device ready.
func (d *Driver) Open(i int) error {
	if i != 0 {
		return fmt.Errorf("ptx: there is no device %d", i)
	}
	if d.open {
		return errors.New("ptx: the device is open already")
	}
	d.open, d.lost = true, nil
	d.heap = newHeap(d.opt.Memory, d.opt.Bytes, !d.opt.NoChecks)
	d.modules, d.kernels = map[cuda.Module]*loaded{}, map[cuda.Function]function{}
	d.host, d.events, d.streams = map[unsafe.Pointer][]byte{}, map[cuda.Event]time.Time{}, map[cuda.Stream]bool{}
	return nil
}

// Close forgets everything; the device may be opened again.
func (d *Driver) Close() error {
	d.open, d.heap, d.modules, d.kernels, d.host, d.lost = false, nil, nil, nil, nil, nil
	return nil
}

// ready is the error of a device that is not open or lost.
func (d *Driver) ready() error {
	if !d.open {
		return errors.New("ptx: the device is not open")
	}
	return d.lost
}

func (d *Driver) handle() uint64 {
	d.handles++
	return d.handles
}

// Load parses and decodes a module and puts its variables into memory.
func (d *Driver) Load(text string) (cuda.Module, error) {
	if err := d.ready(); err != nil {
		return 0, err
	}
	m, err := Parse("module", text)
	if err != nil {
		return 0, err
	}
	l := &loaded{m, map[string]uint64{}}
	for _, v := range m.globals {
		a, err := d.heap.alloc(int64(max(v.bytes, 1)))
		if err != nil {
			return 0, errors.Join(err, d.unload(l))
		}
		clear(a.mem)
		copy(a.mem, v.init)
		a.mark(0, a.bytes)
		l.variables[v.name] = a.addr
	}
	h := cuda.Module(d.handle())
	d.modules[h] = l
	return h, nil
}

func (d *Driver) unload(l *loaded) error {
	var errs []error
	for _, addr := range l.variables {
		errs = append(errs, d.heap.free(addr))
	}
	return errors.Join(errs...)
}

// Unload forgets a module and its functions.
func (d *Driver) Unload(m cuda.Module) error {
	if !d.open {
		return d.ready()
	}
	l := d.modules[m]
	if l == nil {
		return fmt.Errorf("ptx: there is no module %d", m)
	}
	delete(d.modules, m)
	for f, k := range d.kernels {
		if k.module == l {
			delete(d.kernels, f)
		}
	}
	return d.unload(l)
}

// Function finds a kernel.
func (d *Driver) Function(m cuda.Module, name string) (cuda.Function, error) {
	if err := d.ready(); err != nil {
		return 0, err
	}
	l := d.modules[m]
	if l == nil {
		return 0, fmt.Errorf("ptx: there is no module %d", m)
	}
	k := l.Module.kernels[name]
	if k == nil {
		return 0, fmt.Errorf("ptx: the module has no kernel %s", name)
	}
	f := cuda.Function(d.handle())
	d.kernels[f] = function{l, k}
	return f, nil
}

// Attributes of a kernel. Registers are those that the virtual machine uses, which says nothing of a
// compiler for a GPU.
func (d *Driver) Attributes(f cuda.Function) (cuda.FunctionInfo, error) {
	if err := d.ready(); err != nil {
		return cuda.FunctionInfo{}, err
	}
	k := d.kernels[f].kernel
	if k == nil {
		return cuda.FunctionInfo{}, fmt.Errorf("ptx: there is no function %d", f)
	}
	info := cuda.FunctionInfo{Registers: int(k.fixedAt / narrowReg), SharedBytes: k.sharedBytes, LocalBytes: k.localBytes, MaxThreads: maxThreads}
	if k.maxThreads > 0 {
		info.MaxThreads = min(k.maxThreads, maxThreads)
	}
	return info, nil
}

// Launch runs a kernel to its end.
func (d *Driver) Launch(f cuda.Function, grid, block [3]int, sharedBytes int, s cuda.Stream, args []uint64) error {
	if err := d.ready(); err != nil {
		return err
	}
	if err := d.stream(s); err != nil {
		return err
	}
	fn := d.kernels[f]
	if fn.kernel == nil {
		return fmt.Errorf("ptx: there is no function %d", f)
	}
	blocks := int64(grid[0]) * int64(grid[1]) * int64(grid[2])
	l := &launch{
		heap: d.heap, kernel: fn.kernel, variables: fn.module.variables, grid: grid, block: block, dynamic: sharedBytes, args: args,
		checks: !d.opt.NoChecks, count: d.opt.Count, permute: d.opt.Permute, patience: d.patience, to: blocks,
	}
	if err := l.validate(); err != nil {
		return err
	}
	if d.opt.Count && d.opt.Slice != nil {
		from, to := d.opt.Slice(grid)
		l.from, l.to = max(int64(from), 0), min(int64(to), blocks)
	}
	l.races = l.checks && l.to-l.from > 1 && blocks <= maxBlocks
	l.number = d.number()
	err := d.runCounted(l, blocks)
	if err != nil {
		d.lost = err
	}
	return err
}

// number tells this launch apart from the last ones.
func (d *Driver) number() uint64 {
	d.launches++
	if d.launches&0xffff == 0 {
		d.launches++
		for _, a := range d.heap.list {
			a.races.forget()
		}
	}
	return d.launches & 0xffff
}

func (d *Driver) runCounted(l *launch, blocks int64) error {
	if l.from >= l.to {
		return nil
	}
	var c *Counters
	if l.count {
		if c = d.counters[l.kernel.name]; c == nil {
			c = &Counters{Instructions: map[string]int64{}}
			d.counters[l.kernel.name] = c
		}
		c.Launches++
		c.Blocks += blocks
	}
	return l.run(d.opt.Workers, c)
}

// Counters are what was counted since ResetCounters, by the name of the kernel.
func (d *Driver) Counters() map[string]*Counters { return d.counters }

// ResetCounters begins to count anew.
func (d *Driver) ResetCounters() { d.counters = map[string]*Counters{} }

package bench

import (
	"math/bits"
	"runtime"
	"sync"
	"testing"

	"avcu/bench/peak"
	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

// A call is one kernel on one shape.
type call struct {
	name  string                     // shape and direction, "fc1/forward"
	flop  float64                    // operations that its mathematics takes; 0 where they are not what counts
	bytes float64                    // that must move: every argument that is read once, every result once
	setup func(r *room) func() error // makes the arguments
}

// refMost is the most operations or bytes of a call that the reference device is given: some tenths of a second.
const refMost = 5e7

// run measures calls on devices.
func run(b *testing.B, devices []device, calls []call) {
	for _, c := range calls {
		for _, d := range devices {
			if _, ref := d.Device.(*host.Ref); ref && max(c.flop, c.bytes) > refMost {
				continue
			}
			b.Run(c.name+"/device="+d.name, func(b *testing.B) { c.measure(b, d) })
		}
	}
}

// measure times the call, after a first one that makes what stays: scratch memory, pages, loaded code.
func (c call) measure(b *testing.B, d device) {
	r := newRoom(d.Device)
	f := c.setup(r)
	if err := r.ready(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Free() }()
	d.measure(b, c.flop, c.bytes, f)
}

// device is a device under measurement and how fast it could be at most.
type device struct {
	engine.Device
	name  string
	limit func(bytes float64) (flopRate, byteRate float64, err error) // of a call that moves so many bytes
}

// devices opens what there is to measure, until the benchmark's end: cpu with each instruction set that is here and with AMX, ref, and with
// the tag cuda the first GPU. The virtual machine is not among them: what a kernel takes on it says nothing of a GPU, and
// bench/p40 counts what it executes.
func devices(b *testing.B) (list []device) {
	for _, isa := range []host.ISA{host.Plain, host.AVX2, host.AVX512} {
		if d, err := openCPU(b, host.Options{Limit: &isa, NoAMX: true}); err != nil {
			b.Logf("no cpu device here: %v", err)
			break
		} else if d.Arch() == isa.String() {
			list = append(list, d)
		}
	}
	if d, err := openCPU(b, host.Options{}); err == nil && d.Arch() != list[len(list)-1].Arch() {
		list = append(list, d) // float32 by AMX
	}
	list = append(list, device{host.NewRef(), "ref", hostLimit("fma", peak.FMA)})
	for _, gpu := range kerneltest.GPUs(b) {
		list = append(list, device{gpu, "cuda", cudaLimit(gpu.(*cuda.Device))})
	}
	return list
}

// devicesBF16 is devices and the cpu with bfloat16 products.
func devicesBF16(b *testing.B) []device {
	list := devices(b)
	if d, err := openCPU(b, host.Options{BF16: true}); err == nil {
		list = append(list, d)
	}
	return list
}

func openCPU(b *testing.B, o host.Options) (device, error) {
	o.Threads = runtime.GOMAXPROCS(0)
	d, err := host.NewCPU(o)
	if err != nil {
		return device{}, err
	}
	b.Cleanup(func() { _ = d.Close() })
	limit := hostLimit("fma", peak.FMA)
	switch {
	case o.BF16:
		limit = hostLimit("bf16", peak.BF16)
	case !o.NoAMX:
		limit = hostLimit("float32", peak.Float32)
	}
	return device{d, "cpu-" + d.Arch(), limit}, nil
}

// measure times f on d and reports how much work of so many operations and bytes that is a second, and how near to the
// limit: the time that the operations would take at the highest rate or the bytes, whichever is longer, as a part of the
// time it took.
func (d device) measure(b *testing.B, flop, bytes float64, f func() error) (seconds float64) {
	if err := f(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	spent, err := d.Time(func() error {
		for b.Loop() {
			if err := f(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	seconds = spent.Seconds() / float64(b.N)
	b.ReportMetric(1e9*seconds, "ns/op") // the device's own time
	if flop > 0 {
		b.ReportMetric(flop/seconds/1e9, "GFLOP/s")
	}
	b.ReportMetric(bytes/seconds/1e9, "GB/s")
	flopRate, byteRate, err := d.limit(bytes)
	if err != nil {
		b.Logf("no limit to compare with: %v", err)
		return seconds
	}
	b.ReportMetric(100*max(flop/flopRate, bytes/byteRate)/seconds, "%limit")
	return seconds
}

var peaks sync.Map // what has been measured in this run

// measured is what rate returns, measured once for each key.
func measured(key any, rate func() (float64, error)) (float64, error) {
	once, _ := peaks.LoadOrStore(key, sync.OnceValues(rate))
	return once.(func() (float64, error))()
}

// hostLimit is the limit of this machine's processor, whose highest rate of operations has a kind. Memory is as fast as the
// caches that hold so many bytes, rounded up to a power of two.
func hostLimit(kind string, rate func(threads int) (float64, error)) func(bytes float64) (flopRate, byteRate float64, err error) {
	type key struct {
		kind    string
		threads int
		bytes   int64
	}
	threads := runtime.GOMAXPROCS(0)
	return func(bytes float64) (flopRate, byteRate float64, err error) {
		flopRate, err = measured(key{kind, threads, 0}, func() (float64, error) { return rate(threads) })
		if err != nil {
			return 0, 0, err
		}
		within := min(int64(1)<<bits.Len64(uint64(max(bytes, 1<<14)-1)), peak.MemoryBytes)
		byteRate, err = measured(key{"triad", threads, within}, func() (float64, error) { return peak.TriadWithin(threads, within) })
		return flopRate, byteRate, err
	}
}

// cudaLimit is the limit of a GPU.
func cudaLimit(d *cuda.Device) func(bytes float64) (flopRate, byteRate float64, err error) {
	return func(float64) (flopRate, byteRate float64, err error) {
		if flopRate, err = measured("cuda fma", func() (float64, error) { return peak.CUDAFMA(d) }); err != nil {
			return 0, 0, err
		}
		byteRate, err = measured("cuda triad", func() (float64, error) { return peak.CUDATriad(d) })
		return flopRate, byteRate, err
	}
}

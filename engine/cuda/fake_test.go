package cuda

import (
	"fmt"
	"time"
	"unsafe"
)

// fake is a driver that computes nothing and writes down what it is asked for.
type fake struct {
	calls  []string
	total  int64
	used   int64
	sizes  map[uint64]int64
	next   uint64
	host   map[unsafe.Pointer][]byte
	fail   map[string]error // by name of the call
	handle uint64
}

func newFake(total int64) *fake {
	return &fake{total: total, sizes: map[uint64]int64{}, host: map[unsafe.Pointer][]byte{}, fail: map[string]error{}, next: 4096}
}

func (f *fake) did(name, format string, args ...any) error {
	f.calls = append(f.calls, name+fmt.Sprintf(format, args...))
	return f.fail[name]
}

func (f *fake) new() uint64 { f.handle++; return f.handle }

func (f *fake) Devices() ([]Info, error) {
	return []Info{{Name: "fake", Major: 6, Minor: 1, Bytes: f.total, Multiprocessors: 30, Driver: 12090}}, f.fail["Devices"]
}
func (f *fake) Open(i int) error                  { return f.did("Open", " %d", i) }
func (f *fake) Close() error                      { return f.did("Close", "") }
func (f *fake) Load(string) (Module, error)       { return Module(f.new()), f.did("Load", "") }
func (f *fake) Unload(m Module) error             { return f.did("Unload", "") }
func (f *fake) MemInfo() (int64, int64, error)    { return f.total - f.used, f.total, nil }
func (f *fake) HostFree(p unsafe.Pointer) error   { delete(f.host, p); return f.did("HostFree", "") }
func (f *fake) NewStream() (Stream, error)        { return Stream(f.new()), nil }
func (f *fake) CloseStream(s Stream) error        { return nil }
func (f *fake) SyncStream(s Stream) error         { return f.did("SyncStream", " %d", s) }
func (f *fake) Wait(s Stream, e Event) error      { return f.did("Wait", " stream %d event %d", s, e) }
func (f *fake) NewEvent() (Event, error)          { return Event(f.new()), nil }
func (f *fake) CloseEvent(e Event) error          { return nil }
func (f *fake) Record(e Event, s Stream) error    { return f.did("Record", " event %d stream %d", e, s) }
func (f *fake) SyncEvent(e Event) error           { return f.did("SyncEvent", " %d", e) }
func (f *fake) Sync() error                       { return f.did("Sync", "") }
func (f *fake) CopyIn(dst uint64, b []byte) error { return f.did("CopyIn", " %d", len(b)) }
func (f *fake) CopyOut(b []byte, a uint64) error  { return f.did("CopyOut", " %d", len(b)) }

func (f *fake) Function(m Module, name string) (Function, error) {
	return Function(f.new()), f.did("Function", " %s", name)
}

func (f *fake) Attributes(Function) (FunctionInfo, error) { return FunctionInfo{}, nil }

func (f *fake) Alloc(bytes int64) (uint64, error) {
	if f.used+bytes > f.total {
		return 0, fmt.Errorf("fake: %w", ErrOutOfMemory)
	}
	f.used += bytes
	f.next += uint64(bytes)
	f.sizes[f.next] = bytes
	return f.next, f.did("Alloc", " %d", bytes)
}

func (f *fake) Free(addr uint64) error {
	f.used -= f.sizes[addr]
	delete(f.sizes, addr)
	return f.did("Free", "")
}

func (f *fake) HostAlloc(bytes int64) (unsafe.Pointer, error) {
	b := make([]byte, bytes)
	f.host[unsafe.Pointer(&b[0])] = b
	return unsafe.Pointer(&b[0]), f.did("HostAlloc", " %d", bytes)
}

func (f *fake) CopyInAsync(dst uint64, src unsafe.Pointer, bytes int64, s Stream) error {
	return f.did("CopyInAsync", " %d stream %d", bytes, s)
}

func (f *fake) Fill(dst uint64, value byte, bytes int64, s Stream) error {
	return f.did("Fill", " %d with %d", bytes, value)
}

func (f *fake) Elapsed(Event, Event) (time.Duration, error) { return time.Millisecond, nil }

func (f *fake) Launch(fn Function, grid, block [3]int, shared int, s Stream, args []uint64) error {
	return f.did("Launch", " %v %v %d %v", grid, block, shared, args)
}

package ptx

import (
	"fmt"
	"slices"
	"sort"
	"sync/atomic"
	"unsafe"

	"avcu/engine/cuda"
)

// Base is the address of the first byte of device memory. Addresses need more than 32 bits, so that a
// kernel that loses some shows.
const Base = 0x7_0000_0000_00

const (
	boundary  = 256 // of allocations
	freedKept = 256 // freed allocations that are remembered, for messages
)

// allocation is a range of device memory.
type allocation struct {
	addr    uint64
	bytes   int64
	mem     []byte
	ptr     unsafe.Pointer // of mem
	full    atomic.Bool    // every byte was written
	written []uint64       // a bit a byte; changed by atomic operations
	races   raceTable
}

func (a *allocation) end() uint64 { return a.addr + uint64(a.bytes) }

// heap is the device's memory.
type heap struct {
	backing []byte // nil: a slice for each allocation
	total   int64
	used    int64
	next    uint64 // address of the next allocation, without backing: addresses are never used twice
	checks  bool
	list    []*allocation // by address
	freed   []*allocation // the last ones, without their memory
}

func newHeap(backing []byte, total int64, checks bool) *heap {
	return &heap{backing: backing, total: total, next: Base, checks: checks}
}

func room(bytes int64) int64 { return (bytes+boundary-1)/boundary*boundary + boundary }

func (h *heap) alloc(bytes int64) (*allocation, error) {
	if bytes <= 0 {
		return nil, fmt.Errorf("ptx: allocating %d bytes", bytes)
	}
	if bytes > h.total-h.used {
		return nil, fmt.Errorf("ptx: %d bytes of %d are free, and %d were asked for: %w", h.total-h.used, h.total, bytes, cuda.ErrOutOfMemory)
	}
	a := &allocation{bytes: bytes}
	at := len(h.list)
	if h.backing == nil {
		a.addr = h.next
		h.next += uint64(room(bytes))
		words := make([]uint64, (bytes+7)/8)
		a.mem = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), bytes)
	} else {
		a.addr = Base
		for at = range len(h.list) + 1 { // first fit
			if at == len(h.list) || a.addr+uint64(room(bytes)) <= h.list[at].addr {
				break
			}
			a.addr = Base + uint64(int64(h.list[at].addr-Base)+room(h.list[at].bytes))
		}
		from := int64(a.addr - Base)
		if from+bytes > int64(len(h.backing)) {
			return nil, fmt.Errorf("ptx: no free range of %d bytes: %w", bytes, cuda.ErrOutOfMemory)
		}
		a.mem = h.backing[from : from+bytes : from+bytes]
	}
	a.ptr = unsafe.Pointer(unsafe.SliceData(a.mem))
	if h.checks {
		a.written = make([]uint64, (bytes+63)/64+1)
		for i := range a.mem {
			a.mem[i] = 0xFF
		}
	} else {
		a.full.Store(true)
	}
	h.list = slices.Insert(h.list, at, a)
	h.used += bytes
	return a, nil
}

func (h *heap) free(addr uint64) error {
	i, ok := slices.BinarySearchFunc(h.list, addr, func(a *allocation, addr uint64) int {
		switch {
		case a.addr < addr:
			return -1
		case a.addr > addr:
			return 1
		}
		return 0
	})
	if !ok {
		return fmt.Errorf("ptx: freeing %s", h.describe(addr))
	}
	a := h.list[i]
	h.list = slices.Delete(h.list, i, i+1)
	h.used -= a.bytes
	if len(h.freed) == freedKept {
		h.freed = slices.Delete(h.freed, 0, 1)
	}
	h.freed = append(h.freed, &allocation{addr: a.addr, bytes: a.bytes})
	a.mem, a.ptr = nil, nil
	return nil
}

// find is the allocation that holds an address, or nil.
func (h *heap) find(addr uint64) *allocation {
	i := sort.Search(len(h.list), func(i int) bool { return h.list[i].addr > addr }) - 1
	if i < 0 || addr >= h.list[i].end() {
		return nil
	}
	return h.list[i]
}

// bytes is the memory of a range, for copies by the host.
func (h *heap) bytes(addr uint64, n int64) (*allocation, []byte, error) {
	a := h.find(addr)
	if a == nil || int64(addr-a.addr)+n > a.bytes {
		return nil, nil, fmt.Errorf("ptx: copying %d bytes at %s", n, h.describe(addr))
	}
	from := int64(addr - a.addr)
	return a, a.mem[from : from+n], nil
}

// describe says where an address lies.
func (h *heap) describe(addr uint64) string {
	if a := h.find(addr); a != nil {
		return fmt.Sprintf("%#x, byte %d of the %d bytes allocated at %#x", addr, addr-a.addr, a.bytes, a.addr)
	}
	for _, a := range slices.Backward(h.freed) {
		if addr >= a.addr && addr < a.end() {
			return fmt.Sprintf("%#x, byte %d of %d bytes at %#x that were freed", addr, addr-a.addr, a.bytes, a.addr)
		}
	}
	if addr < Base {
		return fmt.Sprintf("%#x, which is no address of device memory", addr)
	}
	i := sort.Search(len(h.list), func(i int) bool { return h.list[i].addr > addr })
	if i > 0 && (i == len(h.list) || addr-h.list[i-1].end() <= h.list[i].addr-addr) {
		a := h.list[i-1]
		return fmt.Sprintf("%#x, %d bytes after the end of the %d bytes allocated at %#x", addr, addr-a.end(), a.bytes, a.addr)
	}
	if i < len(h.list) {
		a := h.list[i]
		return fmt.Sprintf("%#x, %d bytes before the %d bytes allocated at %#x", addr, a.addr-addr, a.bytes, a.addr)
	}
	return fmt.Sprintf("%#x, where nothing is allocated", addr)
}

// mark notes that bytes [from, from+n) were written.
func (a *allocation) mark(from, n int64) {
	if a.full.Load() {
		return
	}
	if from == 0 && n == a.bytes {
		a.full.Store(true)
		return
	}
	for n > 0 {
		bit := from & 63
		take := min(64-bit, n)
		mask := ^uint64(0) >> (64 - take) << bit
		if p := &a.written[from>>6]; atomic.LoadUint64(p)&mask != mask {
			atomic.OrUint64(p, mask)
		}
		from += take
		n -= take
	}
}

// has reports that bytes [from, from+n), n ≤ 16 at a multiple of n, were all written.
func (a *allocation) has(from, n int64) bool {
	mask := uint64(1)<<n - 1
	return a.full.Load() || atomic.LoadUint64(&a.written[from>>6])>>(from&63)&mask == mask
}

package ptx

import (
	"math/bits"
	"unsafe"
)

// Where generic addresses show the state spaces that are not global memory.
const (
	windowBytes  = 1 << 32
	sharedWindow = 0x6_0000_0000_00
	localWindow  = 0x6_8000_0000_00
)

// access is what a load, store or atomic operation does to memory.
type access struct {
	space  space
	kind   accessKind
	size   uint64 // bytes of an element
	bytes  uint64 // of all elements
	offset uint64 // added to the address
	load   func(d, base unsafe.Pointer, addr *[lanes]uint64, mask uint32)
	store  func(s, base unsafe.Pointer, addr *[lanes]uint64, mask uint32)
	atomic func(in *instruction, w *warp, base unsafe.Pointer, mask uint32)
}

// loadLanes loads an element of type T for each lane, from base plus its address.
func loadLanes[T integerOfMemory, D word](d, base unsafe.Pointer, addr *[lanes]uint64, mask uint32) {
	o := of[D](d)
	if mask == fullMask {
		for i := range o {
			o[i] = D(*(*T)(unsafe.Add(base, addr[i])))
		}
		return
	}
	for i := range o {
		if mask>>i&1 != 0 {
			o[i] = D(*(*T)(unsafe.Add(base, addr[i])))
		}
	}
}

type integerOfMemory interface {
	int8 | uint8 | int16 | uint16 | int32 | uint32 | uint64
}

// loadShort is loadLanes into registers of 16 bits.
func loadShort[T int8 | int16](d, base unsafe.Pointer, addr *[lanes]uint64, mask uint32) {
	o := of[uint32](d)
	for i := range o {
		if mask>>i&1 != 0 {
			o[i] = uint32(uint16(*(*T)(unsafe.Add(base, addr[i]))))
		}
	}
}

func storeLanes[T uint8 | uint16 | uint32 | uint64, S word](s, base unsafe.Pointer, addr *[lanes]uint64, mask uint32) {
	v := of[S](s)
	if mask == fullMask {
		for i := range v {
			*(*T)(unsafe.Add(base, addr[i])) = T(v[i])
		}
		return
	}
	for i := range v {
		if mask>>i&1 != 0 {
			*(*T)(unsafe.Add(base, addr[i])) = T(v[i])
		}
	}
}

func (k accessKind) String() string { return [...]string{"reads", "writes", "updates"}[k] }

// memory runs a load, a store or an atomic operation.
func (w *warp) memory(in *instruction, m uint32) bool {
	acc := &in.more.access
	x := of[uint64](w.reg(in.a))
	var all uint64
	for i := range x {
		a := x[i] + acc.offset
		w.addr[i] = a
		if m>>i&1 != 0 {
			all |= a
		}
	}
	if all&(acc.bytes-1) != 0 {
		for i, a := range w.addr {
			if m>>i&1 != 0 && a&(acc.bytes-1) != 0 {
				return w.fail(in, i, "%s %d bytes at %#x, which is not a multiple of %d", acc.kind, acc.bytes, a, acc.bytes)
			}
		}
	}
	switch acc.space {
	case global:
		return w.globalMemory(in, acc, m)
	case shared:
		return w.sharedMemory(in, acc, m)
	case local:
		return w.localMemory(in, acc, m)
	}
	// Generic: each lane by the window that its address lies in.
	var in1, in2 uint32
	for i, a := range w.addr {
		switch {
		case a-sharedWindow < windowBytes:
			in1 |= 1 << i
			w.addr[i] -= sharedWindow
		case a-localWindow < windowBytes:
			in2 |= 1 << i
			w.addr[i] -= localWindow
		}
	}
	if rest := m &^ in1 &^ in2; rest != 0 && !w.globalMemory(in, acc, rest) {
		return false
	}
	if m&in1 != 0 && !w.sharedMemory(in, acc, m&in1) {
		return false
	}
	return m&in2 == 0 || w.localMemory(in, acc, m&in2)
}

// transfer moves the data of lanes whose addresses are offsets from base.
func (w *warp) transfer(in *instruction, acc *access, base unsafe.Pointer, m uint32) {
	switch {
	case acc.atomic != nil:
		acc.atomic(in, w, base, m)
	case acc.kind == reading:
		for j, slot := range in.more.vector {
			if slot != noRegister {
				acc.load(w.reg(slot), unsafe.Add(base, uint64(j)*acc.size), &w.addr, m)
			}
		}
	default:
		for j, slot := range in.more.vector {
			acc.store(w.reg(slot), unsafe.Add(base, uint64(j)*acc.size), &w.addr, m)
		}
	}
}

// globalMemory runs an access to device memory, one allocation after another.
func (w *warp) globalMemory(in *instruction, acc *access, m uint32) bool {
	if w.tally != nil {
		w.tally.countGlobal(&w.addr, acc, m)
	}
	for m != 0 {
		first := bits.TrailingZeros32(m)
		a := w.hit
		if a == nil || w.addr[first]-a.addr >= uint64(a.bytes) {
			if a = w.launch.heap.find(w.addr[first]); a == nil {
				return w.fail(in, first, "%s %d bytes at %s", acc.kind, acc.bytes, w.launch.heap.describe(w.addr[first]))
			}
			w.hit = a
		}
		var here uint32
		room := uint64(a.bytes)
		for i := range w.addr {
			if m>>i&1 == 0 {
				continue
			}
			off := w.addr[i] - a.addr
			if off >= room {
				continue
			}
			if off+acc.bytes > room {
				return w.fail(in, i, "%s %d bytes at %s", acc.kind, acc.bytes, w.launch.heap.describe(w.addr[i]))
			}
			here |= 1 << i
			w.addr[i] = off
		}
		if w.launch.checks && !w.checkGlobal(in, acc, a, here) {
			return false
		}
		if acc.atomic != nil {
			w.launch.atomics.Lock()
			w.transfer(in, acc, a.ptr, here)
			w.launch.atomics.Unlock()
		} else {
			w.transfer(in, acc, a.ptr, here)
		}
		m &^= here
	}
	return true
}

// checkGlobal looks for reads of what was never written, and for races with other blocks. Addresses are
// offsets in a.
func (w *warp) checkGlobal(in *instruction, acc *access, a *allocation, m uint32) bool {
	if acc.kind != writing && !a.full.Load() {
		for i, off := range w.addr {
			if m>>i&1 != 0 && !a.has(int64(off), int64(acc.bytes)) {
				return w.fail(in, i, "%s %d bytes at %s, which were never written", acc.kind, acc.bytes, w.launch.heap.describe(a.addr+off))
			}
		}
	}
	if w.launch.races {
		grain := uint64(w.kernel.globalGrain)
		cells := (a.bytes + int64(grain) - 1) / int64(grain)
		for i, off := range w.addr {
			if m>>i&1 == 0 {
				continue
			}
			for c := off / grain; c <= (off+acc.bytes-1)/grain; c++ {
				if other, conflict := touch(a.races.cell(int64(c), cells), w.launch.number, w.linear, acc.kind); conflict {
					return w.fail(in, i, "a race between blocks: %s %d bytes at %s, which %s in the same launch",
						acc.kind, acc.bytes, w.launch.heap.describe(a.addr+off), w.launch.other(other))
				}
			}
		}
	}
	if acc.kind != reading && !a.full.Load() {
		for i, off := range w.addr {
			if m>>i&1 != 0 {
				a.mark(int64(off), int64(acc.bytes))
			}
		}
	}
	return true
}

// localMemory runs an access to memory of each thread's own.
func (w *warp) localMemory(in *instruction, acc *access, m uint32) bool {
	room := uint64(w.kernel.localBytes)
	for i, a := range w.addr {
		if m>>i&1 == 0 {
			continue
		}
		if a >= room || a+acc.bytes > room {
			return w.fail(in, i, "%s %d bytes at %#x of the %d bytes of local memory", acc.kind, acc.bytes, a, room)
		}
		at := uint64(i)*room + a
		w.addr[i] = at
		stored := w.stored[at : at+acc.bytes]
		for j := range stored {
			if acc.kind == writing {
				stored[j] = true
			} else if !stored[j] && w.launch.checks {
				return w.fail(in, i, "%s %d bytes at %#x of local memory, which were never written", acc.kind, acc.bytes, a)
			}
		}
	}
	w.transfer(in, acc, unsafe.Pointer(unsafe.SliceData(w.local)), m)
	return true
}

package ptx

import (
	"fmt"
	"unsafe"
)

// Shared memory of the block that runs. Every grain of it (1, 2 or 4 bytes, the smallest that the kernel
// stores) has a cell that tells who wrote it last and who read it since, and when: by a clock that every
// barrier and every synchronisation within a warp puts forward. Two threads that use a grain without a
// barrier, or a synchronisation of their warp, between them are a race if one of them writes.
//
// Half a cell is clock<<11 | thread. In place of a reader there may stand all lanes of a warp, or any.
type sharedCell struct{ writer, reader uint32 }

const (
	threadBits  = 11
	threadMask  = 1<<threadBits - 1
	warpReaders = 1024             // + warp: several lanes of it
	atomicUsers = threadMask - 1   // as a writer
	anyReaders  = threadMask       // threads of several warps
	outside     = ^uint32(0)       // as a writer: a grain between two variables
	lastClock   = 1<<21 - 1 - 1<<8 // then the cells are cleared
)

// sharedMemory is what a worker keeps of it from block to block.
type sharedMemory struct {
	words    []uint64
	bytes    int
	cells    []sharedCell
	grain    uint64
	clock    uint32 // now
	interval uint32 // clock at the last barrier
	start    uint32 // clock at the start of the block
}

func (s *sharedMemory) base() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s.words)) }

// prepare sizes it for a launch.
func (s *sharedMemory) prepare(k *kernel, dynamic int) {
	s.bytes = k.sharedEnd + dynamic
	if dynamic == 0 && len(k.sharedVars) > 0 {
		s.bytes -= gap
	}
	s.grain = uint64(k.sharedGrain)
	if n := (s.bytes + 7) / 8; len(s.words) < n+1 {
		s.words = make([]uint64, n+1)
	}
	n := (s.bytes + k.sharedGrain - 1) / k.sharedGrain
	s.cells = make([]sharedCell, n)
	s.clock = 0
	s.fence(k)
}

// fence marks what lies between the variables.
func (s *sharedMemory) fence(k *kernel) {
	end := 0
	for _, v := range append(k.sharedVars[:len(k.sharedVars):len(k.sharedVars)], &variable{addr: uint64(k.sharedEnd)}) {
		for c := (end + k.sharedGrain - 1) / k.sharedGrain; c < min(int(v.addr)/k.sharedGrain, len(s.cells)); c++ {
			s.cells[c].writer = outside
		}
		end = int(v.addr) + v.bytes
	}
}

// begin starts a block.
func (s *sharedMemory) begin(k *kernel) {
	if s.clock > lastClock/2 {
		clear(s.cells)
		s.clock = 0
		s.fence(k)
	}
	s.clock++
	s.start, s.interval = s.clock, s.clock
}

// barrier orders everything before it before everything after.
func (s *sharedMemory) barrier() {
	s.clock++
	s.interval = s.clock
}

// sharedMemory runs an access to shared memory.
func (w *warp) sharedMemory(in *instruction, acc *access, m uint32) bool {
	s := &w.shared
	size := uint64(s.bytes)
	for i, a := range w.addr {
		if m>>i&1 != 0 && (a >= size || a+acc.bytes > size) {
			return w.fail(in, i, "%s %d bytes at %s", acc.kind, acc.bytes, w.describeShared(a))
		}
	}
	if w.tally != nil {
		w.tally.countShared(&w.addr, acc, m)
	}
	ok := true
	if w.launch.checks {
		if acc.kind == reading {
			ok = w.checkReads(in, acc, m)
		} else {
			ok = w.checkWrites(in, acc, m)
		}
	}
	if ok {
		w.transfer(in, acc, s.base(), m)
	}
	return ok
}

// checkReads checks and notes the reads of an instruction.
func (w *warp) checkReads(in *instruction, acc *access, m uint32) bool {
	s := &w.shared
	grain, n := s.grain, max(acc.bytes/s.grain, 1)
	shift := uint(0)
	for 1<<shift < grain {
		shift++
	}
	now := s.clock << threadBits
	// Written in this block, and before the interval: before < interval.
	start, span := s.start<<threadBits, (s.interval-s.start)<<threadBits
	anyNow, anySince, several := now|anyReaders, s.interval<<threadBits|anyReaders, now|(warpReaders+uint32(w.index))
	last, settled := ^uint64(0), false
	for i, a := range w.addr {
		if m>>i&1 == 0 {
			continue
		}
		same := a == last // as the lane before: nothing new but that there are several readers
		if same && settled {
			continue
		}
		last, settled = a, true
		me := now | uint32(w.first+i)
		cells := s.cells[a>>shift:][:n]
		for j := range cells {
			c := &cells[j]
			if c.writer-start >= span {
				settled = false
				if !w.mayRead(in, acc, c, i) {
					return false
				}
			}
			r := c.reader
			if r == anyNow || r == anySince || same && r == several {
				continue
			}
			if r != me {
				r = w.merged(r, me)
				c.reader = r
			}
			settled = settled && (r == anyNow || r == several)
		}
	}
	return true
}

// merged is who has read a cell, after r, when this thread reads it too.
func (w *warp) merged(r, me uint32) uint32 {
	s := &w.shared
	t := r & threadMask
	switch {
	case r>>threadBits < s.interval || t == me&threadMask:
		return me
	case t < warpReaders && int(t)/lanes == w.index || t == warpReaders+uint32(w.index):
		return s.clock<<threadBits | warpReaders + uint32(w.index)
	}
	return s.clock<<threadBits | anyReaders
}

// mayRead judges a cell that was not simply written in an earlier interval of this block.
func (w *warp) mayRead(in *instruction, acc *access, c *sharedCell, lane int) bool {
	s := &w.shared
	a := w.addr[lane]
	clock, t := c.writer>>threadBits, c.writer&threadMask
	switch {
	case c.writer == outside:
		return w.fail(in, lane, "%s %d bytes at %s", acc.kind, acc.bytes, w.describeShared(a))
	case clock < s.start:
		return w.fail(in, lane, "%s %d bytes at %s, which were never written", acc.kind, acc.bytes, w.describeShared(a))
	case t == uint32(w.first+lane):
		return true
	case t == atomicUsers:
		return w.fail(in, lane, "a race: %s %d bytes at %s, which an atomic operation updated since the last barrier", acc.kind, acc.bytes, w.describeShared(a))
	case int(t)/lanes == w.index && clock < w.synced:
		return true
	}
	return w.fail(in, lane, "a race: %s %d bytes at %s, which %s wrote since the last barrier", acc.kind, acc.bytes, w.describeShared(a), w.launch.named(int(t)))
}

// checkWrites checks and notes the writes and atomic operations of an instruction.
func (w *warp) checkWrites(in *instruction, acc *access, m uint32) bool {
	s := &w.shared
	n := max(acc.bytes/s.grain, 1)
	for i, a := range w.addr {
		if m>>i&1 == 0 {
			continue
		}
		me := uint32(w.first + i)
		cells := s.cells[a/s.grain:][:n]
		for j := range cells {
			c := &cells[j]
			if c.writer>>threadBits >= s.interval || acc.kind == updating || c.writer == outside {
				if !w.mayWrite(in, acc, c, i, m) {
					return false
				}
			}
			if r := c.reader; r>>threadBits >= s.interval && r&threadMask != me && !w.readBefore(r) {
				return w.fail(in, i, "a race: %s %d bytes at %s, which %s read since the last barrier", acc.kind, acc.bytes, w.describeShared(a), w.readers(r))
			}
			if acc.kind == updating {
				if c.writer>>threadBits >= s.interval && c.writer&threadMask == me {
					continue // others must still see the plain write
				}
				c.writer = s.clock<<threadBits | atomicUsers
				continue
			}
			c.writer = s.clock<<threadBits | me
		}
	}
	return true
}

// readBefore reports that those who read a cell are of this warp, and synchronised since.
func (w *warp) readBefore(r uint32) bool {
	t := r & threadMask
	mine := t < warpReaders && int(t)/lanes == w.index || t == warpReaders+uint32(w.index)
	return mine && r>>threadBits < w.synced
}

func (w *warp) readers(r uint32) string {
	switch t := r & threadMask; {
	case t == anyReaders:
		return "other threads"
	case t >= warpReaders:
		return fmt.Sprintf("threads of warp %d", t-warpReaders)
	default:
		return w.launch.named(int(t))
	}
}

// mayWrite judges a cell that was written in this interval, or that an atomic operation reads.
func (w *warp) mayWrite(in *instruction, acc *access, c *sharedCell, lane int, m uint32) bool {
	s := &w.shared
	a := w.addr[lane]
	clock, t := c.writer>>threadBits, c.writer&threadMask
	switch {
	case c.writer == outside:
		return w.fail(in, lane, "%s %d bytes at %s", acc.kind, acc.bytes, w.describeShared(a))
	case clock < s.start: // only atomic operations come here
		return w.fail(in, lane, "%s %d bytes at %s, which were never written", acc.kind, acc.bytes, w.describeShared(a))
	case clock < s.interval || t == uint32(w.first+lane):
		return true
	case t == atomicUsers:
		if acc.kind == updating {
			return true
		}
		return w.fail(in, lane, "a race: %s %d bytes at %s, which an atomic operation updated since the last barrier", acc.kind, acc.bytes, w.describeShared(a))
	case int(t)/lanes == w.index && clock < w.synced:
		return true
	case int(t)/lanes == w.index && acc.kind == writing && w.sameStore(in, acc, int(t)%lanes, lane, m):
		return true
	}
	return w.fail(in, lane, "a race: %s %d bytes at %s, which %s wrote since the last barrier", acc.kind, acc.bytes, w.describeShared(a), w.launch.named(int(t)))
}

// sameStore reports that another lane stores the same values to the same address in this instruction.
func (w *warp) sameStore(in *instruction, acc *access, other, lane int, m uint32) bool {
	if m>>other&1 == 0 || other >= lane || w.addr[other] != w.addr[lane] {
		return false
	}
	for _, slot := range in.more.vector {
		if acc.size == 8 {
			if v := of[uint64](w.reg(slot)); v[other] != v[lane] {
				return false
			}
		} else if v := of[uint32](w.reg(slot)); v[other] != v[lane] {
			return false
		}
	}
	return true
}

// describeShared says where an address of shared memory lies.
func (w *warp) describeShared(addr uint64) string {
	k := w.kernel
	best := &variable{name: "dynamic shared memory", addr: uint64(k.sharedEnd), bytes: max(w.shared.bytes-k.sharedEnd, 0)}
	for _, v := range k.sharedVars {
		if addr >= v.addr && (addr < uint64(k.sharedEnd) || best.bytes == 0) {
			best = v
		}
	}
	return fmt.Sprintf("%#x of shared memory, byte %d of %s (%d bytes)", addr, int64(addr-best.addr), best.name, best.bytes)
}

package ptx

import (
	"math/bits"
	"math/rand/v2"
	"unsafe"
)

// worker runs the blocks of a launch, one at a time.
type worker struct {
	launch *launch
	kernel *kernel
	warps  []warp
	order  []int // of warps
	shared sharedMemory
	at     [3]int // the block
	linear int64
	fault  *Fault
	counts []int64   // of instructions; nil: not counted
	tally  *Counters // nil: not counted
	blocks int64
}

// newWorker makes the warps of a block and fills their fixed slots.
func newWorker(l *launch) *worker {
	k := l.kernel
	w := &worker{launch: l, kernel: k}
	threads := l.block[0] * l.block[1] * l.block[2]
	n := (threads + lanes - 1) / lanes
	w.warps, w.order = make([]warp, n), make([]int, n)
	// A little apart, so that the same register of two warps does not fall on the same lines of a cache.
	stride := int(k.fileBytes/8) + 8
	file, preds := make([]uint64, n*stride), make([]uint32, n*k.predicates)
	for i := range w.warps {
		p := &w.warps[i]
		p.worker, p.index, p.first, w.order[i] = w, i, i*lanes, i
		p.all = uint32(uint64(1)<<min(threads-p.first, lanes) - 1)
		p.file = file[i*stride : (i+1)*stride]
		p.base = unsafe.Pointer(unsafe.SliceData(p.file))
		p.preds = preds[i*k.predicates : (i+1)*k.predicates]
		p.stack = make([]frame, 0, 2*lanes)
		if k.localBytes > 0 {
			p.local, p.stored = aligned(lanes*k.localBytes), make([]bool, lanes*k.localBytes)
		}
		for j := range k.fixed {
			p.fill(&k.fixed[j])
		}
	}
	w.shared.prepare(k, l.dynamic)
	if l.count {
		w.counts, w.tally = make([]int64, len(k.code)), &Counters{}
	}
	return w
}

// aligned is n bytes at a multiple of 8.
func aligned(n int) []byte {
	words := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), n)
}

// fill sets a fixed slot in every lane.
func (w *warp) fill(f *fixedSlot) {
	p := w.reg(f.slot)
	for i := range lanes {
		v := f.value
		switch {
		case f.param >= 0:
			v = extend(w.launch.args[f.param]>>f.shift, f.as)
		case f.special != "":
			v += w.special(f.special, i)
		}
		if f.wide {
			of[uint64](p)[i] = v
		} else {
			of[uint32](p)[i] = uint32(v)
		}
	}
}

// special is the value of a special register, or the address of a variable of the module.
func (w *warp) special(name string, lane int) uint64 {
	l := w.launch
	thread := l.position(w.first + lane)
	switch name {
	case "%tid.x", "%tid.y", "%tid.z":
		return uint64(thread[name[5]-'x'])
	case "%ntid.x", "%ntid.y", "%ntid.z":
		return uint64(l.block[name[6]-'x'])
	case "%ctaid.x", "%ctaid.y", "%ctaid.z":
		return uint64(w.at[name[7]-'x'])
	case "%nctaid.x", "%nctaid.y", "%nctaid.z":
		return uint64(l.grid[name[8]-'x'])
	case "%laneid":
		return uint64(lane)
	case "%lanemask_eq":
		return 1 << lane
	case "%lanemask_lt":
		return 1<<lane - 1
	case "%lanemask_le":
		return 2<<lane - 1
	case "%lanemask_gt":
		return fullMask &^ (2<<lane - 1)
	case "%lanemask_ge":
		return fullMask &^ (1<<lane - 1)
	}
	return l.variables[name]
}

// run executes a block; false: there is a fault.
func (w *worker) run(linear int64) bool {
	g := w.launch.grid
	x, y := int64(g[0]), int64(g[1])
	w.linear, w.at = linear, [3]int{int(linear % x), int(linear / x % y), int(linear / (x * y))}
	w.blocks++
	k := w.kernel
	w.shared.begin(k)
	for i := range w.warps {
		p := &w.warps[i]
		for j := range k.fixed {
			if f := &k.fixed[j]; len(f.special) > 7 && f.special[:7] == "%ctaid." {
				p.fill(f)
			}
		}
		if k.undefined {
			clear(p.file[:k.fixedAt/8])
			clear(p.preds)
		}
		clear(p.stored)
		p.live, p.state, p.hit, p.synced = p.all, running, nil, 0
		p.stack = append(p.stack[:0], frame{0, -1, p.all})
	}
	if s := w.launch.permute; s != 0 {
		r := rand.New(rand.NewPCG(s, uint64(linear)))
		r.Shuffle(len(w.order), func(i, j int) { w.order[i], w.order[j] = w.order[j], w.order[i] })
	}
	for {
		for _, i := range w.order {
			if p := &w.warps[i]; p.state == running && !p.run() {
				return false
			}
		}
		if again, ok := w.meet(); !again || !ok {
			return ok
		}
	}
}

// meet lets the warps go on that have come to a barrier: again is false where all have ended. It is a
// fault where some wait and others do not, or wait elsewhere.
func (w *worker) meet() (again, ok bool) {
	var first *warp
	for i := range w.warps {
		if p := &w.warps[i]; p.state == waiting {
			first = p
			break
		}
	}
	if first == nil {
		return false, true
	}
	for i := range w.warps {
		p := &w.warps[i]
		switch {
		case p.live != p.all:
			lane := bits.TrailingZeros32(p.all &^ p.live)
			return false, p.fail(first.stopAt, lane, "this thread has returned, and %s waits at the barrier", w.launch.named(first.first))
		case p.stopAt != first.stopAt:
			return false, p.fail(p.stopAt, 0, "this thread waits at one barrier, and %s at that of line %d",
				w.launch.named(first.first), w.kernel.body[first.stopAt.pc].line)
		}
	}
	for i := range w.warps {
		w.warps[i].state = running
	}
	w.shared.barrier()
	return true, true
}

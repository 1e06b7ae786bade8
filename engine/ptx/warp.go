package ptx

import (
	"math/bits"
	"unsafe"
)

type kind uint8

const (
	kindALU     kind = iota
	kindCompare      // alu replaced by compare
	kindSelect
	kindBranch
	kindReturn
	kindBarrier
	kindOther // run
)

// instruction is a decoded statement. Operands are byte offsets in a warp's register file.
type instruction struct {
	kind       kind
	wide       bool  // the destination has 64 bits
	negate     bool  // the guard
	guard      int32 // predicate, -1: none
	pc         int32
	target     int32 // of a branch
	join       int32 // where the lanes that a branch parted meet again
	d, a, b, c uint32
	alu        alu
	more       *details
}

// details are what few instructions have.
type details struct {
	compare comparison
	run     func(w *warp, in *instruction, mask uint32) bool

	p, q   int // predicate destinations, -1: none
	source int // predicate source, -1: none
	flip   bool
	logic  string // of a comparison's result with the source: "and", "or", "xor" or empty
	invert bool   // the comparison is the contrary of compare

	access  access
	vector  []uint32 // registers
	mode    string
	integer uint32
}

// frame is a group of lanes of a warp that run together, until they come to join.
type frame struct {
	pc, join int32
	mask     uint32
}

type warpState uint8

const (
	running warpState = iota
	waiting           // at a barrier
	done
)

// warp is 32 threads that run in step.
type warp struct {
	*worker
	index  int
	first  int            // its first thread
	all    uint32         // lanes that have a thread
	live   uint32         // lanes whose thread has not returned
	base   unsafe.Pointer // register file
	file   []uint64
	preds  []uint32
	stack  []frame
	state  warpState
	stopAt *instruction // the barrier it waits at
	synced uint32       // clock of the last synchronisation within the warp
	local  []byte
	stored []bool // bytes of local memory that were written
	addr   [lanes]uint64
	temp   [lanes]uint64
	hit    *allocation // the last one that was found
}

func (w *warp) reg(offset uint32) unsafe.Pointer { return unsafe.Add(w.base, offset) }

const fullMask = 1<<lanes - 1

// run executes the warp until it comes to a barrier, ends or fails; false is failure.
func (w *warp) run() bool {
	k := w.kernel
	code := k.code
	top := len(w.stack) - 1
	pc, join, mask := w.stack[top].pc, w.stack[top].join, w.stack[top].mask
	fuel := w.launch.patience
	for {
		for pc == join || mask == 0 { // the lanes that were parted go on together
			top--
			if top < 0 {
				w.stack = w.stack[:0]
				w.state = done
				return true
			}
			w.stack = w.stack[:top+1]
			pc, join, mask = w.stack[top].pc, w.stack[top].join, w.stack[top].mask
		}
		in := &code[pc]
		pc++
		if w.counts != nil {
			w.counts[in.pc]++
		}
		if fuel--; fuel == 0 {
			return w.fail(in, bits.TrailingZeros32(mask), "%d instructions without coming to a barrier or an end: an endless loop, or waiting for what never comes", w.launch.patience)
		}
		m := mask
		if in.guard >= 0 {
			p := w.preds[in.guard]
			if in.negate {
				p = ^p
			}
			if m &= p; m == 0 {
				continue
			}
		}
		switch in.kind {
		case kindALU:
			a, b, c := w.reg(in.a), w.reg(in.b), w.reg(in.c)
			switch {
			case m == fullMask:
				in.alu(w.reg(in.d), a, b, c)
			case in.wide:
				in.alu(unsafe.Pointer(&w.temp), a, b, c)
				blend(of[uint64](w.reg(in.d)), &w.temp, m)
			default:
				in.alu(unsafe.Pointer(&w.temp), a, b, c)
				blend(of[uint32](w.reg(in.d)), of[uint32](unsafe.Pointer(&w.temp)), m)
			}
		case kindCompare:
			w.compare(in, m)
		case kindSelect:
			w.choose(in, m)
		case kindBranch:
			if m == mask {
				pc = in.target
				continue
			}
			// The lanes part; they meet at in.join.
			rest := mask &^ m
			if in.join == join {
				top--
				w.stack = w.stack[:top+1]
			} else {
				w.stack[top] = frame{in.join, join, mask}
			}
			if pc != in.join {
				w.stack = append(w.stack, frame{pc, in.join, rest})
			}
			if in.target != in.join {
				w.stack = append(w.stack, frame{in.target, in.join, m})
			}
			top = len(w.stack) - 1
			pc, join, mask = w.stack[top].pc, w.stack[top].join, w.stack[top].mask
		case kindReturn:
			w.live &^= m
			mask &^= m
			for i := range w.stack {
				w.stack[i].mask &^= m
			}
		case kindBarrier:
			w.stack[top] = frame{pc, join, mask}
			w.stopAt, w.state = in, waiting
			if m != w.live {
				return w.fail(in, bits.TrailingZeros32(w.live&^m), "this thread does not come to the barrier that others of its warp wait at (lanes %#x of %#x)", m, w.live)
			}
			return true
		default:
			if !in.more.run(w, in, m) {
				return false
			}
		}
	}
}

func blend[T word](d, t *[lanes]T, m uint32) {
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = t[i]
		}
	}
}

// setPredicate sets the lanes of m.
func (w *warp) setPredicate(p int, value, m uint32) {
	if p >= 0 {
		w.preds[p] = w.preds[p]&^m | value&m
	}
}

// predicate is the value of the source predicate of an instruction.
func (w *warp) predicate(x *details) uint32 {
	if x.source < 0 {
		if x.flip {
			return 0
		}
		return fullMask
	}
	p := w.preds[x.source]
	if x.flip {
		p = ^p
	}
	return p
}

// compare is setp and set.
func (w *warp) compare(in *instruction, m uint32) {
	x := in.more
	r := x.compare(w.reg(in.a), w.reg(in.b))
	if x.invert {
		r = ^r
	}
	other := ^r
	switch x.logic {
	case "and":
		r, other = r&w.predicate(x), other&w.predicate(x)
	case "or":
		r, other = r|w.predicate(x), other|w.predicate(x)
	case "xor":
		r, other = r^w.predicate(x), other^w.predicate(x)
	}
	w.setPredicate(x.p, r, m)
	w.setPredicate(x.q, other, m)
	if x.p < 0 && x.q < 0 { // set: all ones, or 1.0
		o := of[uint32](w.reg(in.d))
		for i := range o {
			if m>>i&1 != 0 {
				o[i] = -(r >> i & 1) & x.integer
			}
		}
	}
}

// choose is selp.
func (w *warp) choose(in *instruction, m uint32) {
	p := w.predicate(in.more)
	if in.wide {
		chooseLanes(of[uint64](w.reg(in.d)), of[uint64](w.reg(in.a)), of[uint64](w.reg(in.b)), p, m)
		return
	}
	chooseLanes(of[uint32](w.reg(in.d)), of[uint32](w.reg(in.a)), of[uint32](w.reg(in.b)), p, m)
}

// chooseLanes takes x where p has a bit, else y, in the lanes of m.
func chooseLanes[T uint32 | uint64](o, x, y *[lanes]T, p, m uint32) {
	for i := range o {
		if m>>i&1 != 0 {
			v := y[i]
			if p>>i&1 != 0 {
				v = x[i]
			}
			o[i] = v
		}
	}
}

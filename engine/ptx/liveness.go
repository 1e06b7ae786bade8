package ptx

import (
	"cmp"
	"slices"
)

// Bytes of a register of a warp: 32 lanes of 4 or 8 bytes. Registers of 16 bits lie, zero-extended, in
// 32.
const (
	lanes     = 32
	narrowReg = 4 * lanes
	wideReg   = 8 * lanes
)

// reads calls f with every register that the statement reads, writes with every one that it writes.
func (s *statement) operands(reads, writes func(int)) {
	if s.guard >= 0 {
		reads(s.guard)
	}
	first := 1
	switch s.parts[0] {
	case "st", "red", "bra", "ret", "exit", "bar", "barrier", "membar", "fence":
		first = 0
	}
	var walk func(o *operand, write bool)
	walk = func(o *operand, write bool) {
		for i := range o.vector {
			walk(&o.vector[i], write)
		}
		if o.pair >= 0 {
			writes(o.pair)
		}
		if o.reg >= 0 {
			if write && o.kind == operandRegister {
				writes(o.reg)
			} else {
				reads(o.reg)
			}
		}
	}
	for i := range s.args {
		walk(&s.args[i], i < first)
	}
}

type set []uint64

func (s set) has(i int) bool { return s[i>>6]>>(i&63)&1 != 0 }
func (s set) add(i int)      { s[i>>6] |= 1 << (i & 63) }

// assign gives the registers of a kernel their places in the register file. Registers that are not
// alive at the same time share a place, so that a warp's file fits a processor's nearest cache.
func (k *kernel) assign(f *flow) {
	live := k.liveness(f)
	n := len(k.regs)
	from, to := make([]int, n), make([]int, n) // positions 2·pc: read, 2·pc+1: written
	for i := range from {
		from[i], to[i] = -1, -1
	}
	at := func(r, pos int) {
		if from[r] < 0 || pos < from[r] {
			from[r] = pos
		}
		to[r] = max(to[r], pos)
	}
	for i := range live.in {
		for r := range n {
			if live.in[i].has(r) {
				at(r, 2*f.blocks[i].from)
			}
			if live.out[i].has(r) {
				at(r, 2*f.blocks[i].to-1)
			}
		}
	}
	for pc := range k.body {
		k.body[pc].operands(func(r int) { at(r, 2*pc) }, func(r int) { at(r, 2*pc+1) })
	}
	k.undefined = slices.ContainsFunc(live.in[0], func(w uint64) bool { return w != 0 })

	order := make([]int, 0, n)
	for r := range n {
		if k.regs[r].bits == 1 {
			k.regs[r].slot = uint32(k.predicates)
			k.predicates++
		} else if from[r] >= 0 {
			order = append(order, r)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(from[a], from[b]) })
	type place struct {
		slot  uint32
		until int
	}
	var taken [2][]place // 32 and 64 bits
	var free [2][]uint32
	for _, r := range order {
		for c := range taken {
			keep := taken[c][:0]
			for _, p := range taken[c] {
				if p.until < from[r] {
					free[c] = append(free[c], p.slot)
				} else {
					keep = append(keep, p)
				}
			}
			taken[c] = keep
		}
		c, size := 0, uint32(narrowReg)
		if k.regs[r].bits == 64 {
			c, size = 1, wideReg
		}
		slot := k.fixedAt
		if last := len(free[c]) - 1; last >= 0 {
			slot, free[c] = free[c][last], free[c][:last]
		} else {
			k.fixedAt += size
		}
		k.regs[r].slot = slot
		taken[c] = append(taken[c], place{slot, to[r]})
	}
	k.fileBytes = k.fixedAt
}

type liveSets struct{ in, out []set }

// liveness is which registers are alive at the start and at the end of each block.
func (k *kernel) liveness(f *flow) liveSets {
	words := (len(k.regs) + 63) / 64
	n := len(f.blocks)
	l := liveSets{make([]set, n), make([]set, n)}
	use, def := make([]set, n), make([]set, n)
	for i := range n {
		l.in[i], l.out[i], use[i], def[i] = make(set, words), make(set, words), make(set, words), make(set, words)
		for pc := f.blocks[i].from; pc < f.blocks[i].to; pc++ {
			s := &k.body[pc]
			s.operands(func(r int) {
				if !def[i].has(r) {
					use[i].add(r)
				}
			}, func(int) {})
			s.operands(func(int) {}, func(r int) {
				if s.guard < 0 { // what lanes that are switched off hold lives on
					def[i].add(r)
				}
			})
		}
	}
	for changed := true; changed; {
		changed = false
		for i := n - 1; i >= 0; i-- {
			for _, s := range f.blocks[i].next {
				if s == n {
					continue
				}
				for w := range l.out[i] {
					l.out[i][w] |= l.in[s][w]
				}
			}
			for w := range l.in[i] {
				in := use[i][w] | l.out[i][w]&^def[i][w]
				if in != l.in[i][w] {
					l.in[i][w], changed = in, true
				}
			}
		}
	}
	return l
}

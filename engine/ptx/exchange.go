package ptx

import (
	"fmt"
	"math/bits"
)

// exchange decodes what the lanes of a warp tell each other: shfl.sync, vote.sync and activemask.
func (d *decoder) exchange(s *statement, in *instruction) (err error) {
	x := &details{p: -1, q: -1, source: -1}
	in.kind, in.more = kindOther, x
	switch s.op {
	case "activemask.b32":
		if err := count(s, 1); err != nil {
			return err
		}
		x.run, x.mode = (*warp).vote, "active"
		in.d, err = d.destination(&s.args[0], 32)
		return err
	case "vote.sync.all.pred", "vote.sync.any.pred", "vote.sync.uni.pred", "vote.sync.ballot.b32":
		if err := count(s, 3); err != nil {
			return err
		}
		x.run, x.mode = (*warp).vote, s.parts[2]
		to := &s.args[0]
		if x.mode == "ballot" {
			in.d, err = d.destination(to, 32)
		} else if to.kind != operandRegister {
			err = fmt.Errorf("the destination is not a predicate")
		} else {
			x.p, err = d.predicateOf(to.reg)
		}
		if err != nil {
			return err
		}
		if o := &s.args[1]; o.kind == operandNumber {
			x.flip = o.number == 0
		} else if err := d.sourcePredicate(o, x); err != nil {
			return err
		}
		in.c, err = d.source(&s.args[2], 32)
		return err
	case "shfl.sync.bfly.b32", "shfl.sync.up.b32", "shfl.sync.down.b32", "shfl.sync.idx.b32":
		if err := count(s, 5); err != nil {
			return err
		}
		x.run, x.mode = (*warp).shuffle, s.parts[2]
		to := s.args[0]
		if to.pair >= 0 {
			if x.p, err = d.predicateOf(to.pair); err != nil {
				return err
			}
			to.pair = -1
		}
		if in.d, err = d.destination(&to, 32); err != nil {
			return err
		}
		for i, p := range []*uint32{&in.a, &in.b, &in.c} {
			if *p, err = d.source(&s.args[1+i], 32); err != nil {
				return err
			}
		}
		slot, err := d.source(&s.args[4], 32)
		x.vector = []uint32{slot}
		return err
	}
	return errSubset
}

// members checks the mask that a collective operation names: every lane of it that has not returned must
// be here, and no other, as on devices before Volta.
func (w *warp) members(in *instruction, slot, m uint32) bool {
	masks := of[uint32](w.reg(slot))
	for i, mask := range masks {
		if m>>i&1 == 0 {
			continue
		}
		if mask>>i&1 == 0 {
			return w.fail(in, i, "this thread is not of the mask %#x that it names", mask)
		}
		if missing := mask & w.live &^ m; missing != 0 {
			return w.fail(in, i, "lanes %#x of the mask %#x do not come here with the others: the warp has parted", missing, mask)
		}
	}
	return true
}

// shuffle gives each lane the value of another (PTX, "shfl.sync").
func (w *warp) shuffle(in *instruction, m uint32) bool {
	x := in.more
	if !w.members(in, x.vector[0], m) {
		return false
	}
	a, bs, cs := *of[uint32](w.reg(in.a)), *of[uint32](w.reg(in.b)), *of[uint32](w.reg(in.c))
	o := of[uint32](w.reg(in.d))
	var inRange uint32
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		b, clamp, segment := int(bs[i]&31), int(cs[i]&31), int(cs[i]>>8&31)
		low := i & segment
		high := low | clamp&^segment
		j, ok := 0, false
		switch x.mode {
		case "up":
			j = i - b
			ok = j >= high
		case "down":
			j = i + b
			ok = j <= high
		case "bfly":
			j = i ^ b
			ok = j <= high
		default:
			j = low | b&^segment
			ok = j <= high
		}
		if ok {
			inRange |= 1 << i
		} else {
			j = i
		}
		if m>>j&1 == 0 {
			return w.fail(in, i, "it reads from lane %d, which takes no part", j)
		}
		o[i] = a[j]
	}
	w.setPredicate(x.p, inRange, m)
	return true
}

// vote combines a predicate over the lanes.
func (w *warp) vote(in *instruction, m uint32) bool {
	x := in.more
	if x.mode != "active" && !w.members(in, in.c, m) {
		return false
	}
	p := w.predicate(x) & m
	result := m
	all := uint32(fullMask)
	switch x.mode {
	case "ballot":
		result = p
	case "all":
		all = -set1(p == m)
	case "any":
		all = -set1(p != 0)
	case "uni":
		all = -set1(p == m || p == 0)
	}
	if x.p >= 0 {
		w.setPredicate(x.p, all, m)
		return true
	}
	o := of[uint32](w.reg(in.d))
	for i := range o {
		if m>>i&1 != 0 {
			o[i] = result
		}
	}
	return true
}

// warpBarrier orders memory within the warp.
func (w *warp) warpBarrier(in *instruction, m uint32) bool {
	if !w.members(in, in.a, m) {
		return false
	}
	if m != w.live {
		return w.fail(in, bits.TrailingZeros32(m), "a barrier of a part of the warp is not in the subset")
	}
	if w.shared.clock < lastClock {
		w.shared.clock++
	}
	w.synced = w.shared.clock
	return true
}

package ptx

import (
	"fmt"
	"slices"
	"strings"
)

// specialMove reports a mov that packs, unpacks or takes the address of a module's variable.
func (d *decoder) specialMove(s *statement) bool {
	return slices.ContainsFunc(s.args, func(o operand) bool {
		if o.kind == operandVector {
			return true
		}
		if o.kind != operandSymbol {
			return false
		}
		v := d.module.find(d.kernel, o.symbol)
		return v != nil && v.space == global
	})
}

// move decodes the forms of mov that are no plain copy.
func (d *decoder) move(s *statement, in *instruction) error {
	if len(s.parts) != 2 {
		return errSubset
	}
	bits, ok := typeBits(s.parts[1])
	if !ok || bits == 8 {
		return errSubset
	}
	if err := count(s, 2); err != nil {
		return err
	}
	to, from := &s.args[0], &s.args[1]
	var err error
	switch {
	case bits == 1:
		in.kind, in.more = kindOther, &details{run: (*warp).predicateLogic, mode: "mov"}
		return d.predicates(s, in)
	case from.kind == operandSymbol:
		v := d.module.find(d.kernel, from.symbol)
		in.kind, in.alu, in.wide = kindALU, moveLanes[uint64], true
		if in.d, err = d.destination(to, 64); err != nil {
			return err
		}
		in.a = d.fixed(fixedSlot{special: v.name, value: from.number, wide: true, param: -1})
		return nil
	case to.kind == operandVector && from.kind != operandVector:
		n := len(to.vector)
		if n == 0 || bits%n != 0 {
			return fmt.Errorf("%d parts of %d bits", n, bits)
		}
		in.kind, in.more = kindOther, &details{run: (*warp).unpack, integer: uint32(bits / n)}
		in.wide = bits == 64
		if in.a, err = d.source(from, bits); err != nil {
			return err
		}
		return d.vector(to, in.more, bits/n, true)
	case from.kind == operandVector && to.kind == operandRegister:
		n := len(from.vector)
		if n == 0 || bits%n != 0 {
			return fmt.Errorf("%d parts of %d bits", n, bits)
		}
		in.kind, in.more = kindOther, &details{run: (*warp).pack, integer: uint32(bits / n)}
		in.wide = bits == 64
		if in.d, err = d.destination(to, bits); err != nil {
			return err
		}
		return d.vector(from, in.more, bits/n, false)
	}
	return errSubset
}

const noRegister = ^uint32(0) // a sink

// vector decodes the registers of a vector operand, or of a single one.
func (d *decoder) vector(o *operand, x *details, bits int, write bool) error {
	list := o.vector
	if o.kind != operandVector {
		list = []operand{*o}
	}
	for i := range list {
		e := &list[i]
		slot, err := uint32(noRegister), error(nil)
		switch {
		case e.kind == operandSink && write:
		case write:
			slot, err = d.destination(e, bits)
		default:
			slot, err = d.source(e, bits)
		}
		if err != nil {
			return err
		}
		x.vector = append(x.vector, slot)
	}
	return nil
}

// unpack splits a register into parts, the low bits first.
func (w *warp) unpack(in *instruction, m uint32) bool {
	x := in.more
	var all [lanes]uint64
	if in.wide {
		all = *of[uint64](w.reg(in.a))
	} else {
		for i, v := range of[uint32](w.reg(in.a)) {
			all[i] = uint64(v)
		}
	}
	for j, slot := range x.vector {
		if slot == noRegister {
			continue
		}
		o := of[uint32](w.reg(slot))
		for i := range o {
			if m>>i&1 != 0 {
				o[i] = uint32(all[i] >> (x.integer * uint32(j)) & (1<<x.integer - 1))
			}
		}
	}
	return true
}

// pack joins parts to a register.
func (w *warp) pack(in *instruction, m uint32) bool {
	x := in.more
	var all [lanes]uint64
	for j, slot := range x.vector {
		for i, v := range of[uint32](w.reg(slot)) {
			all[i] |= uint64(v) << (x.integer * uint32(j))
		}
	}
	if in.wide {
		blend(of[uint64](w.reg(in.d)), &all, m)
		return true
	}
	o := of[uint32](w.reg(in.d))
	for i := range o {
		if m>>i&1 != 0 {
			o[i] = uint32(all[i])
		}
	}
	return true
}

// bitInsert decodes bfi, which has four sources.
func (d *decoder) bitInsert(s *statement, in *instruction) error {
	if s.op != "bfi.b32" && s.op != "bfi.b64" {
		return errSubset
	}
	if err := count(s, 5); err != nil {
		return err
	}
	bits, _ := typeBits(s.parts[1])
	var err error
	in.wide = bits == 64
	if in.d, err = d.destination(&s.args[0], bits); err != nil {
		return err
	}
	in.kind, in.more = kindOther, &details{}
	for i, n := range []int{bits, bits, 32, 32} {
		slot, err := d.source(&s.args[1+i], n)
		if err != nil {
			return err
		}
		in.more.vector = append(in.more.vector, slot)
	}
	in.more.run = bitInsert[uint32]
	if in.wide {
		in.more.run = bitInsert[uint64]
	}
	return nil
}

func bitInsert[T word](w *warp, in *instruction, m uint32) bool {
	v := in.more.vector
	o, x, y := of[T](w.reg(in.d)), of[T](w.reg(v[0])), of[T](w.reg(v[1]))
	pos, length := of[uint32](w.reg(v[2])), of[uint32](w.reg(v[3]))
	for i := range o {
		if m>>i&1 != 0 {
			o[i] = insert(x[i], y[i], pos[i], length[i])
		}
	}
	return true
}

// window decodes cvta: between an address of a state space and a generic one.
func (d *decoder) window(s *statement, in *instruction) error {
	to := len(s.parts) > 1 && s.parts[1] == "to"
	op := strings.Replace(s.op, ".to", "", 1)
	var offset uint64
	switch op {
	case "cvta.global.u64", "cvta.const.u64":
	case "cvta.shared.u64":
		offset = sharedWindow
	case "cvta.local.u64":
		offset = localWindow
	default:
		return errSubset
	}
	if to {
		offset = -offset
	}
	in.b = d.constant(offset, 64)
	in.kind, in.alu, in.wide = kindALU, addLanes[uint64], true
	if err := count(s, 2); err != nil {
		return err
	}
	var err error
	if in.d, err = d.destination(&s.args[0], 64); err != nil {
		return err
	}
	in.a, err = d.source(&s.args[1], 64)
	return err
}

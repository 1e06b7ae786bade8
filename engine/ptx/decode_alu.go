package ptx

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"
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

// logic decodes operations of predicates.
func (d *decoder) logic(s *statement, in *instruction) error {
	if len(s.parts) != 2 || s.parts[1] != "pred" {
		return errSubset
	}
	n := 3
	if s.parts[0] == "not" {
		n = 2
	}
	if err := count(s, n); err != nil {
		return err
	}
	in.kind, in.more = kindOther, &details{run: (*warp).predicateLogic, mode: s.parts[0]}
	return d.predicates(s, in)
}

// predicates decodes the operands of an operation of predicates; a constant is register -1, turned
// round where it is not 0.
func (d *decoder) predicates(s *statement, in *instruction) error {
	x := in.more
	x.p, x.q, x.source = -1, -1, -1
	for i, p := range []*int{&x.p, &x.source, &x.q}[:len(s.args)] {
		o := &s.args[i]
		switch {
		case o.kind == operandRegister && o.pair < 0 && (i > 0 || !o.negate):
			var err error
			if *p, err = d.predicateOf(o.reg); err != nil {
				return err
			}
			if i == 1 {
				x.flip = o.negate
			} else if i == 2 {
				x.invert = o.negate
			}
		case o.kind == operandNumber && i > 0 && o.float == 0:
			if i == 1 {
				x.flip = o.number == 0
			} else {
				x.invert = o.number == 0
			}
		default:
			return fmt.Errorf("an operand that is not a predicate")
		}
	}
	return nil
}

// predicateLogic runs mov, and, or, xor and not of predicates.
func (w *warp) predicateLogic(in *instruction, m uint32) bool {
	x := in.more
	a, b := w.predicate(x), uint32(fullMask)
	if x.q >= 0 {
		b = w.preds[x.q]
	}
	if x.invert {
		b = ^b
	}
	switch x.mode {
	case "and":
		a &= b
	case "or":
		a |= b
	case "xor":
		a ^= b
	case "not":
		a = ^a
	}
	w.setPredicate(x.p, a, m)
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

// selp decodes a choice by a predicate.
func (d *decoder) selp(s *statement, in *instruction) error {
	if len(s.parts) != 2 {
		return errSubset
	}
	bits, ok := typeBits(s.parts[1])
	if !ok || bits < 16 {
		return errSubset
	}
	if err := count(s, 4); err != nil {
		return err
	}
	var err error
	in.kind, in.wide, in.more = kindSelect, bits == 64, &details{source: -1, p: -1, q: -1}
	if in.d, err = d.destination(&s.args[0], bits); err != nil {
		return err
	}
	if in.a, err = d.source(&s.args[1], bits); err != nil {
		return err
	}
	if in.b, err = d.source(&s.args[2], bits); err != nil {
		return err
	}
	return d.sourcePredicate(&s.args[3], in.more)
}

func (d *decoder) sourcePredicate(o *operand, x *details) (err error) {
	if o.kind != operandRegister || o.pair >= 0 {
		return fmt.Errorf("an operand that is not a predicate")
	}
	x.flip = o.negate
	x.source, err = d.predicateOf(o.reg)
	return err
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

// convert decodes cvt.
func (d *decoder) convert(s *statement, in *instruction) error {
	c := &conversion{}
	if len(s.parts) < 3 {
		return errSubset
	}
	c.to, c.from = s.parts[len(s.parts)-2], s.parts[len(s.parts)-1]
	for _, p := range s.parts[1 : len(s.parts)-2] {
		switch p {
		case "rn", "rz", "rm", "rp", "rni", "rzi", "rmi", "rpi":
			c.rounding = p
		case "sat":
			c.saturate = true
		default:
			return errSubset
		}
	}
	toBits, ok := typeBits(c.to)
	fromBits, also := typeBits(c.from)
	if !ok || !also || c.to[0] == 'b' || c.from[0] == 'b' || toBits == 1 || fromBits == 1 {
		return errSubset
	}
	if err := c.checkRounding(toBits, fromBits); err != nil {
		return err
	}
	if err := count(s, 2); err != nil {
		return err
	}
	dst, src := &s.args[0], &s.args[1]
	// Registers may be wider than integer types.
	dstBits, srcBits := toBits, fromBits
	if dst.kind == operandRegister && c.to[0] != 'f' {
		dstBits = max(d.kernel.regs[dst.reg].bits, toBits)
	}
	if src.kind == operandRegister && c.from[0] != 'f' {
		srcBits = max(d.kernel.regs[src.reg].bits, fromBits)
	}
	srcBits = max(srcBits, 16)
	c.wideIn, c.wideOut, c.shortOut, c.fromFloat = srcBits == 64, dstBits == 64, dstBits == 16, c.from[0] == 'f'
	in.kind, in.wide = kindALU, c.wideOut
	if dstBits == toBits && srcBits == fromBits {
		in.alu = fastConversion(s.op)
	}
	if in.alu == nil {
		in.alu = c.lanes()
	}
	var err error
	if in.d, err = d.destination(dst, dstBits); err != nil {
		return err
	}
	in.a, err = d.source(src, srcBits)
	return err
}

// checkRounding holds a conversion to the roundings that it may and must have.
func (c *conversion) checkRounding(toBits, fromBits int) error {
	toFloat, fromFloat := c.to[0] == 'f', c.from[0] == 'f'
	need, whole := false, strings.HasSuffix(c.rounding, "i")
	switch {
	case toFloat && fromFloat && toBits < fromBits, toFloat && !fromFloat:
		need = true
		if whole {
			return errSubset
		}
	case fromFloat && !toFloat:
		need = true
		if !whole {
			return errSubset
		}
	case toFloat && fromFloat && toBits > fromBits && c.rounding != "":
		return errSubset
	case toFloat && fromFloat && c.rounding != "" && !whole:
		return errSubset
	case !toFloat && !fromFloat && c.rounding != "":
		return errSubset
	}
	if need && c.rounding == "" {
		return fmt.Errorf("a rounding is missing")
	}
	return nil
}

// compare decodes setp and set.
func (d *decoder) compare(s *statement, in *instruction) error {
	parts := s.parts[1:]
	x := &details{p: -1, q: -1, source: -1}
	in.kind, in.more = kindCompare, x
	if len(parts) < 2 {
		return errSubset
	}
	ty := parts[len(parts)-1]
	op, parts := parts[0], parts[1:len(parts)-1]
	if len(parts) > 0 && (parts[0] == "and" || parts[0] == "or" || parts[0] == "xor") {
		x.logic, parts = parts[0], parts[1:]
	}
	if s.parts[0] == "set" {
		if len(parts) != 1 {
			return errSubset
		}
		switch parts[0] {
		case "u32", "s32":
			x.integer = fullMask
		case "f32":
			x.integer = 0x3f800000
		default:
			return errSubset
		}
		parts = nil
	}
	bits, ok := typeBits(ty)
	if !ok || bits < 16 || len(parts) > 0 {
		return errSubset
	}
	var swap bool
	if x.compare, x.invert, swap = comparisonOf(op, ty); x.compare == nil {
		return errSubset
	}
	n := 3
	if x.logic != "" {
		n = 4
		if len(s.args) == 4 {
			if err := d.sourcePredicate(&s.args[3], x); err != nil {
				return err
			}
		}
	}
	if err := count(s, n); err != nil {
		return err
	}
	var err error
	if in.a, err = d.source(&s.args[1], bits); err != nil {
		return err
	}
	if in.b, err = d.source(&s.args[2], bits); err != nil {
		return err
	}
	if swap {
		in.a, in.b = in.b, in.a
	}
	dst := &s.args[0]
	if dst.kind != operandRegister || dst.negate {
		return fmt.Errorf("the destination is not a register")
	}
	if s.parts[0] == "set" {
		in.d, err = d.destination(dst, 32)
		return err
	}
	if x.p, err = d.predicateOf(dst.reg); err != nil {
		return err
	}
	if dst.pair >= 0 {
		x.q, err = d.predicateOf(dst.pair)
	}
	return err
}

// comparisonOf is how a comparison is made of ==, < and <= of a type: of a and b or, swapped, of b and
// a, and perhaps its contrary.
func comparisonOf(op, ty string) (f comparison, invert, swap bool) {
	type three struct{ eq, lt, le, nan comparison }
	var t three
	switch ty {
	case "s32":
		t = three{eqLanes[int32], ltLanes[int32], leLanes[int32], nil}
	case "u32", "b32":
		t = three{eqLanes[uint32], ltLanes[uint32], leLanes[uint32], nil}
	case "s64":
		t = three{eqLanes[int64], ltLanes[int64], leLanes[int64], nil}
	case "u64", "b64":
		t = three{eqLanes[uint64], ltLanes[uint64], leLanes[uint64], nil}
	case "f32":
		t = three{eqLanes[float32], ltLanes[float32], leLanes[float32], nanLanes[float32]}
	case "f64":
		t = three{eqLanes[float64], ltLanes[float64], leLanes[float64], nanLanes[float64]}
	case "u16", "b16":
		t = three{eqLanes[uint32], ltLanes[uint32], leLanes[uint32], nil}
	case "s16":
		t = three{eqLanes[uint32], signed16(ltLanes[int32]), signed16(leLanes[int32]), nil}
	default:
		return nil, false, false
	}
	if ty[0] == 'b' && op != "eq" && op != "ne" {
		return nil, false, false
	}
	switch op {
	case "eq":
		return t.eq, false, false
	case "lt":
		return t.lt, false, false
	case "le":
		return t.le, false, false
	case "gt":
		return t.lt, false, true
	case "ge":
		return t.le, false, true
	}
	if ty[0] == 'f' {
		switch op {
		case "ne": // ordered: not equal, and no NaN
			eq, nan := t.eq, t.nan
			return func(a, b unsafe.Pointer) uint32 { return eq(a, b) | nan(a, b) }, true, false
		case "equ":
			eq, nan := t.eq, t.nan
			return func(a, b unsafe.Pointer) uint32 { return eq(a, b) | nan(a, b) }, false, false
		case "neu":
			return t.eq, true, false
		case "ltu": // not >=
			return t.le, true, true
		case "leu":
			return t.lt, true, true
		case "gtu":
			return t.le, true, false
		case "geu":
			return t.lt, true, false
		case "num":
			return t.nan, true, false
		case "nan":
			return t.nan, false, false
		}
		return nil, false, false
	}
	if ty[0] == 'u' {
		switch op {
		case "lo":
			return t.lt, false, false
		case "ls":
			return t.le, false, false
		case "hi":
			return t.lt, false, true
		case "hs":
			return t.le, false, true
		}
	}
	if op == "ne" {
		return t.eq, true, false
	}
	return nil, false, false
}

// signed16 compares registers of 16 bits by their signs.
func signed16(f comparison) comparison {
	return func(a, b unsafe.Pointer) uint32 {
		var x, y [lanes]int32
		for i := range x {
			x[i], y[i] = int32(int16(of[uint32](a)[i])), int32(int16(of[uint32](b)[i]))
		}
		return f(unsafe.Pointer(&x), unsafe.Pointer(&y))
	}
}

package ptx

import (
	"fmt"
	"unsafe"
)

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

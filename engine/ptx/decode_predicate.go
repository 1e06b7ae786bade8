package ptx

import "fmt"

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

package ptx

import (
	"fmt"
)

// place decodes the state space, vector and type of a load, store or atomic operation: the parts of its
// name that are left after the first and those that allowed names.
func (d *decoder) place(s *statement, x *access, allowed ...string) (ty string, n int, err error) {
	n = 1
	parts := s.parts[1:]
	if len(parts) == 0 {
		return "", 0, errSubset
	}
	ty, parts = parts[len(parts)-1], parts[:len(parts)-1]
	bits, ok := typeBits(ty)
	if !ok || bits < 8 {
		return "", 0, errSubset
	}
	x.size = uint64(bits / 8)
	for _, p := range parts {
		switch p {
		case "global", "const":
			x.space = global
		case "shared":
			x.space = shared
		case "local":
			x.space = local
		case "param":
			x.space = param
		case "v2":
			n = 2
		case "v4":
			n = 4
		default:
			known := false
			for _, a := range allowed {
				known = known || a == p
			}
			if !known {
				return "", 0, errSubset
			}
		}
	}
	x.bytes = x.size * uint64(n)
	if x.bytes > 16 {
		return "", 0, fmt.Errorf("an access of %d bytes", x.bytes)
	}
	return ty, n, nil
}

// base decodes the address of an access.
func (d *decoder) base(o *operand, in *instruction) (err error) {
	x := &in.more.access
	if o.kind != operandAddress {
		return fmt.Errorf("the address is not in brackets")
	}
	x.offset = o.number
	if o.reg >= 0 {
		r := &d.kernel.regs[o.reg]
		if r.bits != 64 {
			return fmt.Errorf("the address %s has %d bits", r.name, r.bits)
		}
		in.a = r.slot
		return nil
	}
	v := d.module.find(d.kernel, o.symbol)
	if v == nil {
		return fmt.Errorf("there is no variable %s", o.symbol)
	}
	if x.space != v.space {
		return fmt.Errorf("%s lies in %v memory", v.name, v.space)
	}
	if v.space == global {
		in.a = d.fixed(fixedSlot{special: v.name, wide: true, param: -1})
		return nil
	}
	addr, _, err := d.address(o.symbol)
	in.a = d.constant(addr, 64)
	return err
}

// registersOf is the width of the registers of an operand, which may be wider than what memory holds.
func (d *decoder) registersOf(o *operand, bits int) int {
	list := o.vector
	if o.kind != operandVector {
		list = []operand{*o}
	}
	for _, e := range list {
		if e.kind == operandRegister {
			bits = max(bits, d.kernel.regs[e.reg].bits)
		}
	}
	return max(bits, 16)
}

func (d *decoder) load(s *statement, in *instruction) error {
	in.kind, in.more = kindOther, &details{run: (*warp).memory}
	x := &in.more.access
	ty, n, err := d.place(s, x, "volatile", "nc", "ca", "cg", "cs", "lu", "cv", "weak")
	if err != nil {
		return err
	}
	if err := count(s, 2); err != nil {
		return err
	}
	if x.space == param {
		return d.loadParam(s, in, ty)
	}
	to := &s.args[0]
	if got := max(len(to.vector), 1); got != n || (to.kind == operandVector) != (n > 1) {
		return fmt.Errorf("%d registers where %d belong", got, n)
	}
	bits := d.registersOf(to, int(x.size)*8)
	x.kind, x.load = reading, loader(ty, bits)
	if err := d.vector(to, in.more, bits, true); err != nil {
		return err
	}
	return d.base(&s.args[1], in)
}

// loader is what loads a type into registers of so many bits.
func loader(ty string, bits int) func(d, base addrOf, addr *[lanes]uint64, mask uint32) {
	if bits == 64 {
		switch ty {
		case "s8":
			return loadLanes[int8, uint64]
		case "u8", "b8":
			return loadLanes[uint8, uint64]
		case "s16":
			return loadLanes[int16, uint64]
		case "u16", "b16":
			return loadLanes[uint16, uint64]
		case "s32":
			return loadLanes[int32, uint64]
		case "u32", "b32", "f32":
			return loadLanes[uint32, uint64]
		}
		return loadLanes[uint64, uint64]
	}
	switch ty {
	case "s8":
		if bits == 16 {
			return loadShort[int8]
		}
		return loadLanes[int8, uint32]
	case "u8", "b8":
		return loadLanes[uint8, uint32]
	case "s16":
		if bits == 16 {
			return loadShort[int16]
		}
		return loadLanes[int16, uint32]
	case "u16", "b16":
		return loadLanes[uint16, uint32]
	}
	return loadLanes[uint32, uint32]
}

// loadParam decodes the load of a parameter, which is a move from a fixed slot.
func (d *decoder) loadParam(s *statement, in *instruction, ty string) error {
	from := &s.args[1]
	if from.kind != operandAddress || from.reg >= 0 {
		return fmt.Errorf("a parameter is loaded by its name")
	}
	typed, _ := typeBits(ty)
	if len(s.parts) != 3 {
		return errSubset
	}
	for i, p := range d.kernel.params {
		if p.name != from.symbol {
			continue
		}
		if from.number+uint64(typed/8) > uint64(p.bytes) {
			return fmt.Errorf("bytes %d to %d of parameter %s, which has %d", from.number, from.number+uint64(typed/8)-1, p.name, p.bytes)
		}
		bits := d.registersOf(&s.args[0], typed)
		slot := d.fixed(fixedSlot{param: i, shift: int(from.number) * 8, as: intType(ty), wide: bits == 64})
		var err error
		in.kind, in.alu, in.wide, in.a = kindALU, moveLanes[uint32], bits == 64, slot
		if in.wide {
			in.alu = moveLanes[uint64]
		}
		in.d, err = d.destination(&s.args[0], bits)
		return err
	}
	return fmt.Errorf("there is no parameter %s", from.symbol)
}

// intType is the integer type of a type's bits: as it is where it is signed, else unsigned.
func intType(ty string) string {
	if ty[0] == 's' {
		return ty
	}
	return "u" + ty[1:]
}

func (d *decoder) store(s *statement, in *instruction) error {
	in.kind, in.more = kindOther, &details{run: (*warp).memory}
	x := &in.more.access
	_, n, err := d.place(s, x, "volatile", "wb", "cg", "cs", "wt", "weak")
	if err != nil {
		return err
	}
	if x.space == param {
		return errSubset
	}
	if err := count(s, 2); err != nil {
		return err
	}
	from := &s.args[1]
	if got := max(len(from.vector), 1); got != n || (from.kind == operandVector) != (n > 1) {
		return fmt.Errorf("%d registers where %d belong", got, n)
	}
	bits := d.registersOf(from, int(x.size)*8)
	x.kind, x.store = writing, storer(x.size, bits)
	d.grain(x)
	if err := d.vector(from, in.more, bits, false); err != nil {
		return err
	}
	return d.base(&s.args[0], in)
}

func storer(size uint64, bits int) func(s, base addrOf, addr *[lanes]uint64, mask uint32) {
	switch {
	case size == 8:
		return storeLanes[uint64, uint64]
	case size == 4 && bits == 64:
		return storeLanes[uint32, uint64]
	case size == 4:
		return storeLanes[uint32, uint32]
	case size == 2 && bits == 64:
		return storeLanes[uint16, uint64]
	case size == 2:
		return storeLanes[uint16, uint32]
	case bits == 64:
		return storeLanes[uint8, uint64]
	}
	return storeLanes[uint8, uint32]
}

// grain makes the cells of race checks as small as a store is.
func (d *decoder) grain(x *access) {
	k := d.kernel
	if x.space == shared || x.space == generic {
		k.sharedGrain = min(k.sharedGrain, int(x.size))
	}
	if x.space == global || x.space == generic {
		k.globalGrain = min(k.globalGrain, int(x.size))
	}
}

package ptx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fixedSlot is a register of a warp that instructions only read: a constant, a special register or a
// parameter.
type fixedSlot struct {
	slot    uint32
	wide    bool
	value   uint64
	special string // "%tid.x"
	param   int    // number of a parameter, -1: none
	shift   int    // bits of it to skip
	as      string // the type it is loaded as
}

// specials are the special registers of the subset.
var specials = map[string]bool{
	"%tid.x": true, "%tid.y": true, "%tid.z": true, "%ntid.x": true, "%ntid.y": true, "%ntid.z": true,
	"%ctaid.x": true, "%ctaid.y": true, "%ctaid.z": true, "%nctaid.x": true, "%nctaid.y": true, "%nctaid.z": true,
	"%laneid": true, "%lanemask_eq": true, "%lanemask_lt": true, "%lanemask_le": true, "%lanemask_gt": true, "%lanemask_ge": true,
}

// decoder turns the statements of a kernel into instructions.
type decoder struct {
	module *Module
	kernel *kernel
	shared map[fixedSlot]uint32 // fixed slots by what they hold
}

// decode prepares a parsed kernel for execution. Errors begin with the line.
func (m *Module) decode(k *kernel) error {
	f := newFlow(k.body)
	joins := f.postDominators()
	k.assign(f)
	k.layout(m)
	d := &decoder{m, k, map[fixedSlot]uint32{}}
	k.code = make([]instruction, len(k.body))
	k.sharedGrain, k.globalGrain = 4, 4
	for i := range k.body {
		s, in := &k.body[i], &k.code[i]
		in.pc, in.guard, in.negate = int32(i), -1, s.negate
		if s.guard >= 0 {
			in.guard = int32(k.regs[s.guard].slot)
		}
		if err := d.statement(s, in); err != nil {
			return fmt.Errorf("%d: %s: %w", s.line, s.op, err)
		}
		if in.kind == kindBranch {
			in.target, in.join = int32(s.target), -1
			if j := joins[f.of[i]]; j < len(f.blocks) {
				in.join = int32(f.blocks[j].from)
			}
		}
	}
	return nil
}

// layout places the static shared variables, apart from each other.
func (k *kernel) layout(m *Module) {
	for _, name := range slices.Sorted(maps.Keys(m.names)) {
		if v := m.names[name]; v.space == shared && v.bytes > 0 && !slices.Contains(k.sharedVars, v) && k.mentions(m, v) {
			own := *v // each kernel has the module's variables elsewhere
			m.names[k.name+"\x00"+v.name] = &own
			k.sharedVars = append(k.sharedVars, &own)
		}
	}
	end := 0
	for i, v := range k.sharedVars {
		if i > 0 {
			end += gap
		}
		end = align(end, max(v.align, 16))
		v.addr = uint64(end)
		end += v.bytes
		k.sharedBytes = align(k.sharedBytes, v.align) + v.bytes
	}
	if end > 0 {
		end += gap
	}
	k.sharedEnd = align(end, 16)
	for _, v := range m.names {
		if v.space == shared && v.bytes == 0 {
			v.addr = dynamicShared // resolved for each kernel
		}
	}
}

// dynamicShared stands for the address of dynamic shared memory, which each kernel has elsewhere.
const dynamicShared = ^uint64(0)

func (k *kernel) mentions(m *Module, v *variable) bool {
	for i := range k.body {
		for _, o := range k.body[i].args {
			if o.symbol != "" && m.find(k, o.symbol) == v {
				return true
			}
		}
	}
	return false
}

func (d *decoder) fixed(f fixedSlot) uint32 {
	if slot, ok := d.shared[f]; ok {
		return slot
	}
	key := f
	f.slot = d.kernel.fileBytes
	size := uint32(narrowReg)
	if f.wide {
		size = wideReg
	}
	d.kernel.fileBytes += size
	d.kernel.fixed = append(d.kernel.fixed, f)
	d.shared[key] = f.slot
	return f.slot
}

func (d *decoder) constant(v uint64, bits int) uint32 {
	if bits < 64 {
		v &= 1<<bits - 1
	}
	return d.fixed(fixedSlot{value: v, wide: bits == 64, param: -1})
}

// address is the value of a symbol.
func (d *decoder) address(name string) (uint64, space, error) {
	v := d.module.find(d.kernel, name)
	if v == nil {
		return 0, 0, fmt.Errorf("there is no variable %s", name)
	}
	if v.addr == dynamicShared {
		return uint64(d.kernel.sharedEnd), v.space, nil
	}
	return v.addr, v.space, nil
}

// source is where a source operand of so many bits lies.
func (d *decoder) source(o *operand, bits int) (uint32, error) {
	switch o.kind {
	case operandRegister:
		r := &d.kernel.regs[o.reg]
		if r.bits != bits || o.negate || o.pair >= 0 {
			return 0, fmt.Errorf("%s has %d bits where %d belong", r.name, r.bits, bits)
		}
		return r.slot, nil
	case operandNumber:
		if o.float != 0 && o.float != bits {
			return 0, fmt.Errorf("a literal of %d bits where %d belong", o.float, bits)
		}
		return d.constant(o.number, bits), nil
	case operandSpecial:
		if bits != 32 {
			return 0, fmt.Errorf("%s has 32 bits where %d belong", o.symbol, bits)
		}
		return d.fixed(fixedSlot{special: o.symbol, param: -1}), nil
	case operandSymbol:
		if o.symbol == "WARP_SZ" {
			return d.constant(lanes, bits), nil
		}
		addr, sp, err := d.address(o.symbol)
		if err != nil {
			return 0, err
		}
		if bits != 64 {
			return 0, fmt.Errorf("an address where %d bits belong", bits)
		}
		if sp == global {
			return 0, fmt.Errorf("%s: addresses of the module's variables are taken by mov alone", o.symbol)
		}
		return d.constant(addr+o.number, 64), nil
	}
	return 0, fmt.Errorf("an operand of a kind that does not belong here")
}

// destination is where a destination of so many bits lies.
func (d *decoder) destination(o *operand, bits int) (uint32, error) {
	if o.kind != operandRegister || o.negate || o.pair >= 0 {
		return 0, fmt.Errorf("the destination is not a register")
	}
	r := &d.kernel.regs[o.reg]
	if r.bits != bits {
		return 0, fmt.Errorf("%s has %d bits where %d belong", r.name, r.bits, bits)
	}
	return r.slot, nil
}

// predicateOf is the number of a predicate register.
func (d *decoder) predicateOf(reg int) (int, error) {
	r := &d.kernel.regs[reg]
	if r.bits != 1 {
		return -1, fmt.Errorf("%s is not a predicate", r.name)
	}
	return int(r.slot), nil
}

func count(s *statement, n int) error {
	if len(s.args) != n {
		return fmt.Errorf("%d operands where %d belong", len(s.args), n)
	}
	return nil
}

var errSubset = fmt.Errorf("this instruction is not in the subset of the virtual machine")

// statement decodes one statement.
func (d *decoder) statement(s *statement, in *instruction) error {
	if op, ok := operations[s.op]; ok && !(s.parts[0] == "mov" && d.specialMove(s)) {
		return d.plain(s, in, op)
	}
	switch s.parts[0] {
	case "mov":
		return d.move(s, in)
	case "setp", "set":
		return d.compare(s, in)
	case "selp":
		return d.selp(s, in)
	case "cvt":
		return d.convert(s, in)
	case "cvta":
		return d.window(s, in)
	case "and", "or", "xor", "not":
		return d.logic(s, in)
	case "bfi":
		return d.bitInsert(s, in)
	case "ld", "ldu":
		return d.load(s, in)
	case "st":
		return d.store(s, in)
	case "atom", "red":
		return d.atomic(s, in)
	case "bra", "ret", "exit", "bar", "barrier", "membar", "fence":
		return d.control(s, in)
	case "shfl", "vote", "activemask":
		return d.exchange(s, in)
	}
	for _, p := range s.parts[1:] {
		switch p {
		case "approx", "ftz", "full":
			return fmt.Errorf("%w: its result is not defined to the bit (.%s)", errSubset, p)
		}
	}
	return errSubset
}

// plain decodes a function of registers.
func (d *decoder) plain(s *statement, in *instruction, op operation) error {
	if err := count(s, 1+len(op.srcs)); err != nil {
		return err
	}
	in.kind, in.alu, in.wide = kindALU, op.alu, op.dst == 64
	var err error
	if in.d, err = d.destination(&s.args[0], op.dst); err != nil {
		return err
	}
	for i, p := range []*uint32{&in.a, &in.b, &in.c}[:len(op.srcs)] {
		if *p, err = d.source(&s.args[1+i], op.srcs[i]); err != nil {
			return err
		}
	}
	return nil
}

// control decodes branches, barriers and fences.
func (d *decoder) control(s *statement, in *instruction) error {
	switch op := strings.Join(s.parts, "."); op {
	case "bra", "bra.uni":
		in.kind = kindBranch
	case "ret", "exit", "ret.uni":
		in.kind = kindReturn
	case "bar.sync", "barrier.sync", "barrier.sync.aligned":
		if err := count(s, 1); err != nil {
			return err
		}
		if s.args[0].kind != operandNumber || s.args[0].number != 0 {
			return fmt.Errorf("%w: of all barriers it has 0 alone", errSubset)
		}
		in.kind = kindBarrier
		return nil
	case "bar.warp.sync":
		if err := count(s, 1); err != nil {
			return err
		}
		var err error
		in.kind, in.more = kindOther, &details{run: (*warp).warpBarrier}
		in.a, err = d.source(&s.args[0], 32)
		return err
	case "membar.cta", "membar.gl", "membar.sys", "fence.acq_rel.cta", "fence.acq_rel.gpu", "fence.acq_rel.sys", "fence.sc.cta", "fence.sc.gpu", "fence.sc.sys":
		in.kind, in.more = kindOther, &details{run: func(*warp, *instruction, uint32) bool { return true }}
	default:
		return errSubset
	}
	return count(s, 0)
}

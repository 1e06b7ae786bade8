package ptx

import (
	"fmt"
	"slices"
	"unsafe"
)

type addrOf = unsafe.Pointer

// atomic decodes atom and red of integers. Those of floats are not in the subset: their order is not
// defined.
func (d *decoder) atomic(s *statement, in *instruction) error {
	in.kind, in.more = kindOther, &details{run: (*warp).memory}
	x := &in.more.access
	names := []string{"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"}
	ty, n, err := d.place(s, x, append(names, "relaxed", "acq_rel", "cta", "gpu", "sys")...)
	if err != nil || n != 1 || x.size < 4 || x.space == param || x.space == local {
		return errSubset
	}
	if ty[0] == 'f' {
		return fmt.Errorf("%w: atomic operations of floats have no defined order", errSubset)
	}
	for _, p := range s.parts {
		if slices.Contains(names, p) {
			in.more.mode = p
		}
	}
	args := s.args
	if s.parts[0] == "atom" {
		if len(args) == 0 {
			return count(s, 3)
		}
		args = args[1:]
	}
	if in.more.mode == "" || s.parts[0] == "red" && (in.more.mode == "exch" || in.more.mode == "cas") {
		return errSubset
	}
	if want := map[bool]int{false: 2, true: 3}[in.more.mode == "cas"]; len(args) != want {
		return fmt.Errorf("%d operands where %d belong", len(args), want)
	}
	bits := int(x.size) * 8
	slot := uint32(noRegister)
	if s.parts[0] == "atom" && s.args[0].kind != operandSink {
		if slot, err = d.destination(&s.args[0], bits); err != nil {
			return err
		}
	}
	in.more.vector = []uint32{slot}
	if in.b, err = d.source(&args[1], bits); err != nil {
		return err
	}
	if len(args) > 2 {
		if in.c, err = d.source(&args[2], bits); err != nil {
			return err
		}
	}
	d.grain(x)
	x.kind = updating
	switch ty {
	case "s32":
		x.atomic = atomicLanes[int32]
	case "s64":
		x.atomic = atomicLanes[int64]
	case "u64", "b64":
		x.atomic = atomicLanes[uint64]
	default:
		x.atomic = atomicLanes[uint32]
	}
	return d.base(&args[0], in)
}

// atomicLanes updates memory lane by lane, in order, and gives what was there before.
func atomicLanes[T integer](in *instruction, w *warp, base unsafe.Pointer, m uint32) {
	b, c := *of[T](w.reg(in.b)), *of[T](w.reg(in.c))
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		p := (*T)(unsafe.Add(base, w.addr[i]))
		old := *p
		*p = update(in.more.mode, old, b[i], c[i])
		if slot := in.more.vector[0]; slot != noRegister {
			of[T](w.reg(slot))[i] = old
		}
	}
}

func update[T integer](mode string, old, b, c T) T {
	switch mode {
	case "add":
		return old + b
	case "min":
		return min(old, b)
	case "max":
		return max(old, b)
	case "and":
		return old & b
	case "or":
		return old | b
	case "xor":
		return old ^ b
	case "inc":
		if old >= b {
			return 0
		}
		return old + 1
	case "dec":
		if old == 0 || old > b {
			return b
		}
		return old - 1
	case "cas":
		if old == b {
			return c
		}
		return old
	}
	return b // exch
}

package engine

import "fmt"

// Arena plans the memory of whole graphs and then makes it in one allocation: tensors are handed out
// while a graph is recorded, and have an address from Commit on. After that nothing is allocated.
type Arena struct {
	dev       Device
	mem       *Memory
	own       []*Memory // one a tensor, where the device wants that
	top, high int64
	committed bool
}

// NewArena is an empty plan for d.
func NewArena(d Device) *Arena { return &Arena{dev: d, mem: &Memory{Device: d}} }

// Device is where the memory will be.
func (a *Arena) Device() Device { return a.dev }

// Tensor reserves an unpadded tensor.
func (a *Arena) Tensor(typ DType, dims ...int) Tensor { return a.Padded(typ, 0, dims...) }

// Padded reserves a tensor whose rows lie ld elements apart (0: unpadded).
func (a *Arena) Padded(typ DType, ld int, dims ...int) Tensor {
	if a.committed {
		panic("engine: a tensor was asked of an arena that is already committed")
	}
	t := layout(typ, ld, dims)
	bytes := int64(t.Rows()) * int64(t.ld) * typ.Size()
	if a.dev.Separate() {
		m := &Memory{Device: a.dev, Bytes: bytes}
		a.own = append(a.own, m)
		t.mem = m
		a.top += bytes
	} else {
		t.mem, t.off = a.mem, a.top
		a.top += (bytes + Align - 1) / Align * Align
	}
	a.high = max(a.high, a.top)
	return t
}

// Mark is the present end of the plan, for Release.
func (a *Arena) Mark() int64 { return a.top }

// Release gives what was reserved since the mark to whoever reserves next: two graphs that never run
// at the same time share memory.
func (a *Arena) Release(mark int64) {
	if !a.dev.Separate() {
		a.top = mark
	}
}

// Bytes is what the plan takes at its highest.
func (a *Arena) Bytes() int64 { return a.high }

// Commit allocates the memory. Tensors of the arena can be used from now on.
func (a *Arena) Commit() error {
	a.committed = true
	a.mem.Bytes = a.high
	plan := a.own
	if !a.dev.Separate() {
		plan = []*Memory{a.mem}
	}
	for _, m := range plan {
		got, err := a.dev.Reserve(m.Bytes)
		if err != nil {
			return fmt.Errorf("engine: reserving %d MB for the graph: %w", a.high>>20, err)
		}
		*m = *got
	}
	return nil
}

// Free returns the memory.
func (a *Arena) Free() error {
	plan := a.own
	if !a.dev.Separate() {
		plan = []*Memory{a.mem}
	}
	for _, m := range plan {
		if err := a.dev.Free(m); err != nil {
			return err
		}
	}
	return nil
}

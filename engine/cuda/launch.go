package cuda

import "fmt"

// Source is the PTX of one kernel folder. It is a value that lives as long as the program; devices
// know it by its address.
type Source struct {
	Name string // of the folder: "adam"
	PTX  string
}

// Grid is the geometry of a launch.
type Grid struct {
	X, Y, Z int // blocks; 0 counts as 1
	Threads int // of a block, along x
	Shared  int // bytes of dynamic shared memory
}

type module struct {
	handle    Module
	functions map[string]Function
}

// Function is a kernel of a source, loaded when it is first asked for.
func (d *Device) Function(s *Source, entry string) (Function, error) {
	m := d.modules[s]
	if m == nil {
		handle, err := d.drv.Load(s.PTX)
		if err != nil {
			return 0, fmt.Errorf("%s: loading its PTX on %s: %w", s.Name, d.Name(), err)
		}
		m = &module{handle, map[string]Function{}}
		d.modules[s] = m
	}
	f, ok := m.functions[entry]
	if !ok {
		var err error
		if f, err = d.drv.Function(m.handle, entry); err != nil {
			return 0, fmt.Errorf("%s: kernel %s: %w", s.Name, entry, err)
		}
		m.functions[entry] = f
	}
	return f, nil
}

// Launch starts a kernel after all that was started before. Arguments are slots of 8 bytes in the order
// of the kernel's parameters: Addr, Int, F32, F64, Bool. Where there is nothing to do it is for the caller
// not to launch: a grid has at least one block.
func (d *Device) Launch(s *Source, entry string, g Grid, args ...uint64) error {
	grid := [3]int{max(g.X, 1), max(g.Y, 1), max(g.Z, 1)}
	if g.X < 0 || g.Y < 0 || g.Z < 0 || grid[1] > 65535 || grid[2] > 65535 {
		return fmt.Errorf("%s: kernel %s on a grid of %d×%d×%d blocks", s.Name, entry, g.X, g.Y, g.Z)
	}
	f, err := d.Function(s, entry)
	if err != nil {
		return err
	}
	d.args = append(d.args[:0], args...)
	d.launches++
	if err := d.drv.Launch(f, grid, [3]int{g.Threads, 1, 1}, g.Shared, d.compute, d.args); d.failed(err) != nil {
		return fmt.Errorf("%s: kernel %s: %w", s.Name, entry, err)
	}
	if d.opt.Checks {
		if err := d.Sync(); err != nil {
			return fmt.Errorf("%s: kernel %s: %w", s.Name, entry, err)
		}
	}
	return nil
}

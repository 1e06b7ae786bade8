package attention

import (
	_ "embed"

	"avcu/engine"
	"avcu/engine/cuda"
)

//go:embed attention.ptx
var ptx string

var source = cuda.Source{Name: "attention", PTX: ptx}

// whole reports that rows of n elements, ld apart from an address, are whole groups of 16 bytes (of 16
// elements, where they are features).
func whole(addr uint64, ld, n int, group int) bool {
	return addr%16 == 0 && ld%group == 0 && n%group == 0
}

// entry is the kernel of this name for the features' type, and for accesses of 16 bytes or of any size.
func entry(name string, x engine.Tensor, fast bool) string {
	switch {
	case x.Type() == engine.Uint8 && fast:
		return name + "_bytes"
	case x.Type() == engine.Uint8:
		return name + "_bytes_any"
	case fast:
		return name + "_floats"
	}
	return name + "_floats_any"
}

const maxGrid = 65535 // blocks along y and z

// groups calls f with parts of n groups that a grid can hold, first and number.
func groups(n int, f func(first, n int) error) error {
	for first := 0; first < n; first += maxGrid {
		if err := f(first, min(maxGrid, n-first)); err != nil {
			return err
		}
	}
	return nil
}

// scoresCUDA computes the products of frames with units: of all frames with w [C,D], or with a w of
// three dimensions [B,C,D] of each video's frames with its own.
func scoresCUDA(d *cuda.Device, s size, x, w, c, out engine.Tensor) error {
	n, frames, stride := 1, s.b*s.l, 0
	if w.Rank() == 3 {
		n, frames, stride = s.b, s.l, s.units*w.LD()
	}
	return groups(n, func(first, n int) error {
		x, w, out := x, w, out
		if stride > 0 {
			x, w, out = x.Range(first, first+n), w.Range(first, first+n), out.Range(first, first+n)
		}
		grid := cuda.Grid{X: (frames + 127) / 128, Y: (s.units + 31) / 32, Z: n, Threads: 128}
		fast := whole(cuda.Addr(x), x.LD(), s.d, 16) && whole(cuda.Addr(w), w.LD(), s.d, 4) && whole(cuda.Addr(out), s.units, s.units, 4)
		return d.Launch(&source, entry("attention_scores", x, fast), grid, cuda.Addr(x), cuda.Int(x.LD()), cuda.Int(frames), cuda.Int(s.d),
			cuda.Addr(w), cuda.Int(w.LD()), cuda.Int(stride), cuda.Addr(c), cuda.Addr(out), cuda.Int(s.units))
	})
}

// poolCUDA adds up the frames of x with the weights a, in groups of so many frames: v [groups,C,D] has
// rows ldv apart.
func poolCUDA(d *cuda.Device, s size, x, a engine.Tensor, group int, v uint64, ldv int) error {
	all := s.b * s.l
	n := (all + group - 1) / group
	return groups(n, func(first, n int) error {
		x, a := x.Reshape(all, s.d).Range(first*group, min(all, (first+n)*group)), a.Reshape(all, s.units).Range(first*group, min(all, (first+n)*group))
		to := v + 4*uint64(first)*uint64(s.units)*uint64(ldv)
		grid := cuda.Grid{X: (s.d + 127) / 128, Y: (s.units + 31) / 32, Z: n, Threads: 128}
		fast := whole(cuda.Addr(x), x.LD(), s.d, 16) && whole(cuda.Addr(a), s.units, s.units, 4) && whole(to, ldv, s.d, 4)
		return d.Launch(&source, entry("attention_pool", x, fast), grid, cuda.Addr(x), cuda.Int(x.LD()), cuda.Int(x.Dim(0)), cuda.Int(group), cuda.Int(s.d),
			cuda.Addr(a), cuda.Int(s.units), to, cuda.Int(ldv))
	})
}

// forwardCUDA computes the scores, unless w is the zero Tensor and a holds them already, and pools.
func forwardCUDA(d *cuda.Device, s size, x, w, c, a, v engine.Tensor) error {
	if s.b == 0 {
		return nil
	}
	if !w.IsZero() {
		if err := scoresCUDA(d, s, x, w, c, a); err != nil {
			return err
		}
	}
	if err := groups(s.b, func(first, n int) error {
		return d.Launch(&source, "attention_softmax", cuda.Grid{X: (s.units + 31) / 32, Y: n, Threads: 256}, cuda.Addr(a.Range(first, first+n)), cuda.Int(s.l), cuda.Int(s.units))
	}); err != nil {
		return err
	}
	return poolCUDA(d, s, x, a, s.l, cuda.Addr(v), v.LD())
}

func backwardScoresCUDA(d *cuda.Device, s size, x, a, gv, gs engine.Tensor) error {
	if s.b == 0 {
		return nil
	}
	if err := scoresCUDA(d, s, x, gv, engine.Tensor{}, gs); err != nil {
		return err
	}
	return groups(s.b, func(first, n int) error {
		return d.Launch(&source, "attention_gradient", cuda.Grid{X: (s.units + 31) / 32, Y: n, Threads: 256}, cuda.Addr(a.Range(first, first+n)),
			cuda.Addr(gs.Range(first, first+n)), cuda.Int(s.l), cuda.Int(s.units))
	})
}

// weightGroups is how many groups of videos leave a sum each: with 8 slices of 128 features some four
// waves of blocks on 30 multiprocessors. A group is of at most weightFrames frames, however long the
// videos are: that is one chain of float32 sums.
const (
	weightGroups = 60
	weightFrames = 512
)

func backwardWeightsCUDA(d *cuda.Device, s size, x, gs, gw engine.Tensor, add bool) error {
	group := min((s.b+weightGroups-1)/weightGroups*s.l, weightFrames)
	n := 0
	if s.b > 0 {
		n = (s.b*s.l + group - 1) / group
	}
	ld := (s.d + 3) / 4 * 4
	part, err := d.Scratch(4 * int64(max(n, 1)) * int64(s.units) * int64(ld))
	if err != nil {
		return err
	}
	if n > 0 {
		if err := poolCUDA(d, s, x, gs, group, part, ld); err != nil {
			return err
		}
	}
	return groups(s.units, func(first, units int) error {
		return d.Launch(&source, "attention_join", cuda.Grid{X: (s.d + 255) / 256, Y: units, Threads: 256}, part+4*uint64(first)*uint64(ld), cuda.Int(n),
			cuda.Int(ld), cuda.Addr(gw.Range(first, first+units)), cuda.Int(gw.LD()), cuda.Int(s.units), cuda.Int(s.d), cuda.Bool(add))
	})
}

func backwardFeaturesCUDA(d *cuda.Device, s size, w, a, gs, gv, gx engine.Tensor, add bool) error {
	ldw := 0
	if !w.IsZero() {
		ldw = w.LD()
	}
	return groups(s.b, func(first, n int) error {
		a, gs, gv, gx := a.Range(first, first+n), gs.Range(first, first+n), gv.Range(first, first+n), gx.Range(first, first+n)
		return groups(s.l, func(from, frames int) error {
			at, to := 4*uint64(from)*uint64(s.units), 4*uint64(from)*uint64(gx.LD())
			return d.Launch(&source, "attention_features", cuda.Grid{X: (s.d + 255) / 256, Y: frames, Z: n, Threads: 256}, cuda.Addr(w), cuda.Int(ldw),
				cuda.Addr(a)+at, cuda.Addr(gs)+at, cuda.Addr(gv), cuda.Int(gv.LD()), cuda.Addr(gx)+to, cuda.Int(gx.LD()), cuda.Int(s.l), cuda.Int(s.units),
				cuda.Int(s.d), cuda.Bool(add))
		})
	})
}

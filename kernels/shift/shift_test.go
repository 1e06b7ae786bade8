package shift

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

func TestRows(t *testing.T) { kerneltest.Run(t, Rows(*kerneltest.Long)) }

func TestGolden(t *testing.T) {
	devices := kerneltest.Devices(t)
	devices["ref"] = host.NewRef()
	kerneltest.Golden(t, "shift_*.npz", func(t *testing.T, name string, g map[string]kerneltest.Array) {
		s := size{g["v"].Shape[0], g["v"].Shape[1], g["v"].Shape[2]}
		width, everything := s.units*s.d, engine.Mask{Train: true}
		got := map[string][]float64{"y": make([]float64, s.b*width), "gv": make([]float64, s.b*width), "galpha": make([]float64, s.units), "gbeta": make([]float64, s.units)}
		norm := make([]float64, s.b*s.units)
		v, alpha, beta, gy := g["v"].Data, g["alpha"].Data, g["beta"].Data, g["gy"].Data
		forward(s, everything, v, alpha, beta, got["y"], width, norm)
		backward(s, everything, v, alpha, beta, norm, gy, width, got["gv"], got["galpha"], got["gbeta"], false)
		// Both sides compute in float64, with 2^29 times smaller roundings; 1e-6 of the bounds is 2^20 times.
		compare(t, "reference in float64", s, g, norm, got, 1e-6)

		row := kerneltest.Row{Name: name, Args: []kerneltest.Arg{
			kerneltest.In("v", g["v"].Float32(), s.b, s.units, s.d), kerneltest.In("alpha", g["alpha"].Float32(), s.units),
			kerneltest.In("beta", g["beta"].Float32(), s.units), kerneltest.In("gy", g["gy"].Float32(), s.b, width),
			kerneltest.Out("y", kerneltest.Exact, s.b, width), kerneltest.Out("norm", kerneltest.Exact, s.b, s.units),
			kerneltest.Out("gv", kerneltest.Exact, s.b, s.units, s.d), kerneltest.Out("galpha", kerneltest.Exact, s.units),
			kerneltest.Out("gbeta", kerneltest.Exact, s.units), kerneltest.Room("work", 2, s.b, s.units),
		}, Call: func(d engine.Device, t []engine.Tensor) error {
			if err := Forward(d, t[0], t[1], t[2], t[4], t[5], everything); err != nil {
				return err
			}
			return Backward(d, t[0], t[1], t[2], t[5], t[3], t[6], t[7], t[8], t[9], everything, engine.Sink{})
		}}
		for device, d := range devices {
			out, err := kerneltest.Execute(d, row)
			if err != nil {
				t.Fatal(err)
			}
			for i, key := range map[int]string{4: "y", 6: "gv", 7: "galpha", 8: "gbeta"} {
				got[key] = kerneltest.Floats(engine.Float32, out[i])
			}
			compare(t, device, s, g, norm, got, 1)
		}
	})
}

// compare holds arrays against golden ones, unit by unit, within that part of the bounds of float32.
func compare(t *testing.T, who string, s size, g map[string]kerneltest.Array, norm []float64, got map[string][]float64, part float64) {
	t.Helper()
	near := func(key string, i int, abs, rel float64) {
		if got, want := got[key][i], g[key].Data[i]; !(math.Abs(got-want) <= part*(abs+rel*math.Abs(want))) {
			t.Errorf("%s: %s[%d] = %v, want %v within %g + %g·|want|", who, key, i, got, want, part*abs, part*rel)
		}
	}
	galpha, gbeta := make([]float64, s.units), make([]float64, s.units)
	eachUnit(s, func(b, i int) {
		u := unitOf(s, g["v"].Data, g["alpha"].Data, g["beta"].Data, norm, g["gy"].Data, s.units*s.d, b, i)
		for k := range s.d {
			near("y", (b*s.units+i)*s.d+k, u.y, u.relative())
			near("gv", (b*s.units+i)*s.d+k, u.gv, 1e-6)
		}
		galpha[i] += u.galpha
		gbeta[i] += u.gbeta
	})
	for i := range s.units {
		near("galpha", i, galpha[i], 1e-6)
		near("gbeta", i, gbeta[i], 1e-6)
	}
}

// A video in a batch has the bits that it has alone.
func TestRowsOfABatchAreIndependent(t *testing.T) {
	s, four := size{21, 3, 1031}, size{21, 3, 1024}
	for name, d := range kerneltest.Devices(t) {
		for kind, row := range map[string]kerneltest.Row{
			"forward": forwardRow(3, s, uneven, given, usual), "backward": backwardRow(3, s, uneven, given, usual, false),
			"forward in fours": forwardRow(3, four, even, given, usual), "backward in fours": backwardRow(3, four, even, given, usual, false),
		} {
			whole, err := kerneltest.Execute(d, row)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range []int{0, 13, 20} {
				alone := row
				alone.Args = append([]kerneltest.Arg(nil), row.Args...)
				for i, a := range alone.Args {
					if a.Dims[0] == s.b {
						alone.Args[i].Dims = append([]int{1}, a.Dims[1:]...)
						alone.Args[i].Data = part(a.Data, b, s.b)
					} else if a.Name == "work" {
						alone.Args[i].Dims = []int{2, 1, s.units}
					}
				}
				got, err := kerneltest.Execute(d, alone)
				if err != nil {
					t.Fatal(err)
				}
				for i, a := range row.Args {
					if n := len(whole[i]) / s.b; a.Write && a.Dims[0] == s.b && !bytes.Equal(got[i], whole[i][b*n:(b+1)*n]) {
						t.Errorf("%s: %s: %s of video %d has other bits alone than in a batch", name, kind, a.Name, b)
					}
				}
			}
		}
	}
}

// part is entry b of n.
func part(data any, b, n int) any {
	switch s := data.(type) {
	case []float32:
		return s[b*len(s)/n : (b+1)*len(s)/n]
	case []uint8:
		return s[b*len(s)/n : (b+1)*len(s)/n]
	}
	return nil
}

func TestErrors(t *testing.T) {
	s := size{2, 3, 5}
	change := func(row kerneltest.Row, name string, f func(*kerneltest.Arg)) kerneltest.Row {
		for i := range row.Args {
			if row.Args[i].Name == name {
				f(&row.Args[i])
			}
		}
		return row
	}
	dims := func(dims ...int) func(*kerneltest.Arg) {
		return func(a *kerneltest.Arg) { a.Dims, a.Data, a.LD = dims, nil, 0 }
	}
	pad := func(a *kerneltest.Arg) { a.LD = a.Dims[len(a.Dims)-1] + 1 }
	forward := func() kerneltest.Row { return forwardRow(1, s, uneven, drawn, usual) }
	backward := func() kerneltest.Row { return backwardRow(1, s, uneven, drawn, usual, false) }
	step := backward()
	step.Call = func(d engine.Device, t []engine.Tensor) error {
		return Backward(d, t[0], t[1], t[2], t[4], t[5], t[6], t[7], t[8], t[9], engine.Mask{}, engine.Sink{Step: &engine.Step{}})
	}
	for _, c := range []struct {
		row  kerneltest.Row
		want string
	}{
		{change(forward(), "v", dims(2, 15)), "pooled features"},
		{change(forward(), "v", pad), "want unpadded"},
		{change(forward(), "alpha", dims(4)), "alpha is float32[4]"},
		{change(forward(), "beta", dims(2)), "beta is float32[2]"},
		{change(forward(), "y", dims(2, 16)), "representation is float32[2 16]"},
		{change(forward(), "norm", dims(2, 4)), "norm is float32[2 4]"},
		{change(forward(), "norm", pad), "want unpadded"},
		{change(backward(), "gy", dims(1, 15)), "representation is float32[1 15]"},
		{change(backward(), "gv", dims(2, 5, 3)), "gradients float32[2 5 3]"},
		{change(backward(), "galpha", dims(4)), "float32[4]"},
		{change(backward(), "work", dims(2, 1, 3)), "work is float32[2 1 3]"},
		{change(backward(), "work", pad), "want unpadded"},
		{step, "optimiser's step"},
	} {
		if _, err := kerneltest.Execute(host.NewRef(), c.row); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

func TestGradient(t *testing.T) {
	s := size{2, 3, 5}
	r := kerneltest.Rand(5)
	draw := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = r.NormFloat64()
		}
		return out
	}
	n := s.b * s.units * s.d
	v, alpha, beta, up := draw(n), draw(s.units), draw(s.units), draw(n)
	mask := engine.Mask{Rate: 0.3, Train: true, Seed: 1}
	y, norm := make([]float64, n), make([]float64, s.b*s.units)
	loss := func() float64 {
		forward(s, mask, v, alpha, beta, y, s.units*s.d, norm)
		sum := 0.0
		for i := range y {
			sum += y[i] * up[i]
		}
		return sum
	}
	loss()
	gv, ga, gb := make([]float64, n), make([]float64, s.units), make([]float64, s.units)
	backward(s, mask, v, alpha, beta, norm, up, s.units*s.d, gv, ga, gb, false)
	kerneltest.Gradient(t, map[string][]float64{"v": v, "alpha": alpha, "beta": beta}, map[string][]float64{"v": gv, "alpha": ga, "beta": gb}, loss)
}

package dequantise

import (
	"testing"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

func TestRows(t *testing.T) { kerneltest.Run(t, Rows(*kerneltest.Long)) }

func TestGolden(t *testing.T) {
	limits := map[string][2]float64{"dequantise_otherrange": {-1.25, 3.5}}
	kerneltest.Golden(t, "dequantise_*.npz", func(t *testing.T, name string, g map[string]kerneltest.Array) {
		lim, ok := limits[name]
		if !ok {
			lim = [2]float64{-2, 2}
		}
		n := len(g["q"].Data)
		for i, q := range g["q"].Data {
			// Float64 in another order of roundings.
			if got := value(int(q), lim[0], lim[1]); !(kerneltest.Tolerance{Abs: 1e-15}).Within(got, g["x"].Data[i]) {
				t.Errorf("value of %v is %v, want %v", q, got, g["x"].Data[i])
			}
		}
		devices := kerneltest.Devices(t)
		devices["ref"] = host.NewRef()
		for device, d := range devices {
			out, err := kerneltest.Execute(d, kerneltest.Row{Name: name, Args: []kerneltest.Arg{
				kerneltest.In("q", g["q"].Uint8(), n), kerneltest.Out("x", kerneltest.Exact, n),
			}, Call: func(d engine.Device, t []engine.Tensor) error { return Run(d, t[0], t[1], lim[0], lim[1]) }})
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range kerneltest.Floats(engine.Float32, out[1]) {
				if x != g["x32"].Data[i] {
					t.Errorf("%s: x[%d] = %v, want %v", device, i, x, g["x32"].Data[i])
				}
			}
		}
	})
}

func TestErrors(t *testing.T) {
	d := host.NewRef()
	m, err := d.Alloc(64)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Free(m)
	q, x := engine.NewTensor(m, 0, engine.Uint8, 0, 2, 3), engine.NewTensor(m, 16, engine.Float32, 0, 2, 3)
	for name, err := range map[string]error{
		"float32 in": Run(d, x, x, -2, 2), "uint8 out": Run(d, q, q, -2, 2),
		"other shape": Run(d, q, engine.NewTensor(m, 16, engine.Float32, 0, 3, 2), -2, 2),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

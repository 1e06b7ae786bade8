package dropout

import (
	"math"
	"strings"
	"testing"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

func TestRows(t *testing.T) { kerneltest.Run(t, Rows(*kerneltest.Long)) }

// upload makes a tensor on a host device.
func upload[T engine.Element](t *testing.T, d engine.Device, data []T, typ engine.DType, dims ...int) engine.Tensor {
	t.Helper()
	m, err := d.Alloc(int64(len(data)) * typ.Size())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Free(m) })
	x := engine.NewTensor(m, 0, typ, 0, dims...)
	if err := engine.Write(d, x, data); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestGolden(t *testing.T) {
	rates := map[string]float64{"dropout_B1_N1": 0.5, "dropout_B5_N37": 0.25, "dropout_B7_N120": 0.3}
	devices := kerneltest.Devices(t)
	devices["ref"] = host.NewRef()
	kerneltest.Golden(t, "dropout_*.npz", func(t *testing.T, name string, a map[string]kerneltest.Array) {
		rate, ok := rates[name]
		if !ok {
			t.Fatal("no rate")
		}
		rows, cols := a["x"].Shape[0], a["x"].Shape[1]
		ref := devices["ref"]
		for _, c := range []struct {
			x, y  string
			train bool
		}{{"x", "y_train", true}, {"x", "y_eval", false}, {"g", "gx_train", true}, {"g", "gx_eval", false}} {
			x, want := a[c.x], a[c.y].Data
			m := engine.Mask{Rate: rate, Train: c.train, Given: upload(t, ref, a["mask"].Uint8(), engine.Uint8, rows, cols)}
			got := make([]float64, rows*cols)
			reference(m, x.Data, cols, got, cols, rows, cols, false)
			for i := range got {
				if !(kerneltest.Tolerance{Rel: 1e-15}).Within(got[i], want[i]) { // one product of the same float64
					t.Errorf("%s[%d] = %v, want %v", c.y, i, got[i], want[i])
				}
			}
			for device, d := range devices {
				in, out := upload(t, d, x.Float32(), engine.Float32, rows, cols), upload(t, d, x.Float32(), engine.Float32, rows, cols)
				m.Given = upload(t, d, a["mask"].Uint8(), engine.Uint8, rows, cols)
				if err := Backward(d, m, in, out, engine.Sink{}); err != nil {
					t.Fatal(err)
				}
				got := make([]float32, rows*cols)
				if err := engine.Read(d, got, out); err != nil {
					t.Fatal(err)
				}
				for i := range got {
					// 1−rate and the product are rounded to float32.
					if !(kerneltest.Tolerance{Rel: 1.2e-7}).Within(float64(got[i]), want[i]) {
						t.Errorf("%s: %s[%d] = %v, want %v", device, c.y, i, got[i], want[i])
					}
				}
			}
		}
	})
}

func TestGradient(t *testing.T) {
	const rows, cols = 3, 11
	for _, m := range []engine.Mask{{Rate: 0.4, Train: true, Seed: 3, Column: 2}, {Rate: 0.4}} {
		r := kerneltest.Rand(5)
		x, g := make([]float64, rows*cols), make([]float64, rows*cols)
		for i := range x {
			x[i], g[i] = r.NormFloat64(), r.NormFloat64()
		}
		gx, y := make([]float64, rows*cols), make([]float64, rows*cols)
		reference(m, g, cols, gx, cols, rows, cols, false)
		kerneltest.Gradient(t, map[string][]float64{"x": x}, map[string][]float64{"x": gx}, func() (loss float64) {
			reference(m, x, cols, y, cols, rows, cols, false)
			for i := range y {
				loss += y[i] * g[i]
			}
			return loss
		})
	}
}

// Neither cutting a batch into micro-batches nor cutting rows into ranges of columns changes a mask.
func TestMaskOfParts(t *testing.T) {
	const rows, cols, split, from = 9, 45, 4, 17
	ones := make([]float32, rows*cols)
	for i := range ones {
		ones[i] = 1
	}
	for name, d := range kerneltest.Devices(t) {
		x, whole := upload(t, d, ones, engine.Float32, rows, cols), upload(t, d, ones, engine.Float32, rows, cols)
		memory, err := d.Alloc(rows * cols * 4)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Free(memory) })
		parts := engine.NewTensor(memory, 0, engine.Float32, 0, rows, cols)
		m := engine.Mask{Rate: 0.5, Train: true, Seed: math.MaxUint64 - 5, Step: 3, Layer: 2, First: 100, Column: 6}
		if err := Forward(d, m, x, whole); err != nil {
			t.Fatal(err)
		}
		rest := engine.NewTensor(memory, split*cols*4, engine.Float32, 0, rows-split, cols)
		for _, part := range []struct {
			y                 engine.Tensor
			first, from, upto int
		}{{parts.Prefix(split), 0, 0, from}, {parts.Prefix(split), 0, from, cols}, {rest, split, 0, cols}} {
			p := m
			p.First, p.Column = m.First+part.first, m.Column+part.from
			y := part.y.Columns(part.from, part.upto)
			if err := Forward(d, p, x.Prefix(y.Rows()).Columns(part.from, part.upto), y); err != nil {
				t.Fatal(err)
			}
		}
		got, want := make([]float32, rows*cols), make([]float32, rows*cols)
		if err := engine.Read(d, got, parts); err != nil {
			t.Fatal(err)
		}
		if err := engine.Read(d, want, whole); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%s: element %d is %v in parts and %v in the whole", name, i, got[i], want[i])
			}
		}
	}
}

// A word that equals the threshold keeps its element, and one below drops it.
func TestThreshold(t *testing.T) {
	const cols = 40
	ones := make([]float32, cols)
	for i := range ones {
		ones[i] = 1
	}
	m := engine.Mask{Train: true, Seed: 12, Step: 1, Layer: 1}
	devices := kerneltest.Devices(t)
	devices["ref"] = host.NewRef()
	for name, d := range devices {
		x, y := upload(t, d, ones, engine.Float32, 1, cols), upload(t, d, ones, engine.Float32, 1, cols)
		for c := range cols {
			for above, want := range []float32{1, 0} {
				m.Rate = (float64(engine.Draw(m.Seed, m.Step, m.Layer, 0, uint32(c))) + float64(above)) / (1 << 32)
				if err := Forward(d, m, x, y); err != nil {
					t.Fatal(err)
				}
				got := make([]float32, cols)
				if err := engine.Read(d, got, y); err != nil {
					t.Fatal(err)
				}
				if got[c] != want {
					t.Errorf("%s: threshold %d above the word of element %d: factor %v, want %v", name, above, c, got[c], want)
				}
			}
		}
	}
}

func TestErrors(t *testing.T) {
	d := host.NewRef()
	x := upload(t, d, make([]float32, 6), engine.Float32, 2, 3)
	y := upload(t, d, make([]float32, 6), engine.Float32, 3, 2)
	for _, c := range []struct {
		err  error
		want string
	}{
		{Forward(d, engine.Mask{}, x, y), "y is float32[3 2], want the shape of x, float32[2 3]"},
		{Forward(d, engine.Mask{}, x.Reshape(6), x), "x is float32[6]"},
		{Forward(d, engine.Mask{Rate: 1}, x, x), "drop rate 1"},
		{Backward(d, engine.Mask{}, x, x, engine.Sink{Step: &engine.Step{}}), "without Step"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
}

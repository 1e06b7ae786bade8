package attention

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

// All 256 quantised values come out rounded once, on every instruction set.
func TestDequantise(t *testing.T) {
	golden := kerneltest.LoadNPZ(t, "testdata/dequantise_all256.npz")
	q, want := golden["q"].Uint8(), golden["x32"].Float32()
	for i := range q {
		if got := dequantised(q[i]); got != want[i] {
			t.Errorf("%d is %v, want %v", q[i], got, want[i])
		}
	}
	// One frame, one unit: the weight is 1 and the pooled features are the features. Of widths 1, 5 and 51
	// the last vector is not full.
	var table []kerneltest.Row
	for _, d := range []int{256, 51, 5, 1} {
		p := problem{size: size{256 / d, 1, d, 1}, r: kerneltest.Rand(2)}
		row := p.forward()
		row.Args[0] = kerneltest.In("x", q[:p.b*d], p.b, 1, d)
		row.Args[3].Tol, row.Args[4].Tol = kerneltest.Exact, kerneltest.Exact
		table = append(table, row)
	}
	kerneltest.Run(t, table)
}

// A NaN or an infinity in one video's features, weights or gradients comes out where the reference has
// it, and nowhere else.
func TestNaNFlowsThrough(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		p := problem{size: size{3, 5, 33, 9}, r: kerneltest.Rand(9)}
		for _, row := range []kerneltest.Row{p.forward(), p.pooling(), p.backwardScores(), p.backwardWeights(), p.backward(), p.backwardFeatures(true)} {
			for i, arg := range row.Args {
				data, ok := arg.Data.([]float32)
				if !ok {
					continue
				}
				changed := row
				changed.Name, changed.Args = row.Name+"_"+arg.Name, append([]kerneltest.Arg(nil), row.Args...)
				data = append([]float32(nil), data...)
				data[len(data)/2] = float32(bad)
				changed.Args[i].Data = data
				kerneltest.Run(t, []kerneltest.Row{changed})
			}
		}
	}
}

// A video comes out with the same bits alone as in a batch.
func TestAlone(t *testing.T) {
	for _, s := range []size{{70, 25, 50, 32}, {4, 31, 130, 5}, {2, 7, 1100, 3}} {
		for _, quantised := range []bool{false, true} {
			p := problem{size: s, bytes: quantised, r: kerneltest.Rand(3)}
			for _, row := range []kerneltest.Row{p.forward(), p.pooling(), p.backwardScores(), p.backwardFeatures(true)} {
				for name, d := range kerneltest.Devices(t) {
					all, err := kerneltest.Execute(d, row)
					if err != nil {
						t.Fatal(err)
					}
					for _, b := range []int{0, s.b / 2, s.b - 1} {
						one, err := kerneltest.Execute(d, alone(row, b))
						if err != nil {
							t.Fatal(err)
						}
						for i, arg := range row.Args {
							n := len(all[i]) / arg.Dims[0]
							if arg.Write && !bytes.Equal(one[i], all[i][b*n:(b+1)*n]) {
								t.Errorf("%s on %s: %s of video %d has other bits alone", row.Name, name, arg.Name, b)
							}
						}
					}
				}
			}
		}
	}
}

// alone is the row with video b only: of every argument that has videos.
func alone(row kerneltest.Row, b int) kerneltest.Row {
	args := append([]kerneltest.Arg(nil), row.Args...)
	for i, a := range args {
		if len(a.Dims) != 3 {
			continue
		}
		n := a.Dims[1] * a.Dims[2]
		args[i].Dims = []int{1, a.Dims[1], a.Dims[2]}
		switch data := a.Data.(type) {
		case []float32:
			args[i].Data = data[b*n : (b+1)*n]
		case []uint8:
			args[i].Data = data[b*n : (b+1)*n]
		}
	}
	row.Args = args
	return row
}

// Videos of more frames, and more units, than a grid holds along y; chains of float32 sums stay short.
func TestLarge(t *testing.T) {
	long := problem{size: size{1, 70000, 2, 1}, padded: true, r: kerneltest.Rand(103)}
	deep := problem{size: size{1, 70000, 16, 4}, add: true, r: kerneltest.Rand(104)}
	many := problem{size: size{1, 1, 1, 66000}, add: true, padded: true, r: kerneltest.Rand(106)}
	kerneltest.Run(t, []kerneltest.Row{long.pooling(), long.backwardFeatures(true), deep.backwardWeights(), many.backwardWeights()})
}

func TestErrors(t *testing.T) {
	d := host.NewRef()
	m, err := d.Alloc(4096)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Free(m)
	f := func(dims ...int) engine.Tensor { return engine.NewTensor(m, 0, engine.Float32, 0, dims...) }
	q := engine.NewTensor(m, 0, engine.Uint8, 0, 2, 3, 4)
	x, a, v, w, c := f(2, 3, 4), f(2, 3, 5), f(2, 5, 4), f(5, 4), f(5)
	padded := engine.NewTensor(m, 0, engine.Float32, 6, 2, 3, 5)
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"width of weights":     {Forward(d, x, f(5, 3), c, a, v), "scoring weights"},
		"length of bias":       {Forward(d, x, w, f(4), a, v), "bias"},
		"frames":               {Forward(d, x, w, c, f(2, 4, 5), v), "weights"},
		"units":                {Forward(d, x, w, c, a, f(2, 4, 4)), "pooled features"},
		"rank":                 {Pool(d, f(6, 4), a, v), "[B L D]"},
		"padded weights":       {Pool(d, x, padded, v), "no padding"},
		"no frames":            {Pool(d, f(2, 0, 4), f(2, 0, 5), v), "at least one frame"},
		"gradient of scores":   {BackwardScores(d, x, a, v, f(2, 3, 4)), "gradient of the scores"},
		"padded gradient":      {BackwardScores(d, x, a, v, padded), "no padding"},
		"step on weights":      {BackwardWeights(d, x, a, w, engine.Sink{Step: &engine.Step{}}), "step"},
		"step on features":     {BackwardFeatures(d, w, a, a, v, x, engine.Sink{Step: &engine.Step{}}), "step"},
		"bytes as gradient":    {BackwardFeatures(d, w, a, a, v, q, engine.Sink{}), "float32"},
		"weights, backward":    {BackwardFeatures(d, f(4, 4), a, a, v, x, engine.Sink{}), "scoring weights"},
		"type of the features": {Pool(d, engine.NewTensor(m, 0, engine.Int32, 0, 2, 3, 4), a, v), "uint8 or float32"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", name, c.err, c.want)
		}
	}
}

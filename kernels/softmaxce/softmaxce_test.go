package softmaxce

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

// A video in a batch has the bits that it has alone.
func TestRowsOfABatchAreIndependent(t *testing.T) {
	const b, k = 19, 301
	row := lossRow(4, b, k, 0, true, usual)
	z, offsets := row.Args[0].Data.([]float32), row.Args[1].Data.([]int32)
	for name, d := range kerneltest.Devices(t) {
		whole, err := kerneltest.Execute(d, row)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []int{0, 7, 18} {
			alone := row
			alone.Args = append([]kerneltest.Arg(nil), row.Args...)
			alone.Args[0] = kerneltest.In("z", z[r*k:(r+1)*k], 1, k)
			alone.Args[1] = kerneltest.In("offsets", offsets[r:r+2], 2)
			alone.Args[3].Dims = []int{1}
			alone.Args[4] = kerneltest.Out("gz", kerneltest.Exact, 1, k)
			got, err := kerneltest.Execute(d, alone)
			if err != nil {
				t.Fatal(err)
			}
			for i := 3; i <= 4; i++ {
				if n := len(whole[i]) / b; !bytes.Equal(got[i], whole[i][r*n:(r+1)*n]) {
					t.Errorf("%s: %s of row %d has other bits alone than in a batch", name, row.Args[i].Name, r)
				}
			}
		}
	}
}

func TestBadLabels(t *testing.T) {
	cpu, err := host.NewCPU(host.Options{})
	if err != nil {
		t.Skip(err)
	}
	defer cpu.Close()
	for _, d := range []engine.Device{host.NewRef(), cpu} {
		for _, c := range []struct {
			offsets, labels []int32
			want            string
		}{
			{[]int32{0, 1, 2}, []int32{0, 5}, "row 1 has label 5, and there are 5 classes"},
			{[]int32{0, 1, 2}, []int32{-1, 0}, "row 0 has label -1"},
			{[]int32{0, 1, 3}, []int32{0, 0}, "row 1 has labels 1 to 3 of 2"},
			{[]int32{0, 2, 1}, []int32{0, 0}, "row 1 has labels 2 to 1"},
			{[]int32{0, 0, 1}, []int32{0}, "row 0 has no label"},
			{[]int32{0, 2, 3}, []int32{1, 2, 0}, "row 0 has labels 1 and 2"},
		} {
			row := lossRow(1, 2, 5, 0, true, usual)
			row.Args[1].Data, row.Args[2].Data, row.Args[2].Dims = c.offsets, c.labels, []int{len(c.labels)}
			if _, err := kerneltest.Execute(d, row); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: labels %v at %v: error %v, want %q", d.Name(), c.labels, c.offsets, err, c.want)
			}
		}
	}
}

func TestGolden(t *testing.T) {
	kerneltest.Golden(t, "softmaxce_*.npz", func(t *testing.T, name string, g map[string]kerneltest.Array) {
		b, k := g["z"].Shape[0], g["z"].Shape[1]
		offsets, labels := goldenLabels(g, b, k)
		each, gz, p := make([]float64, b), make([]float64, b*k), make([]float64, b*k)
		loss(b, k, g["z"].Data, k, offsets, labels, each, gz, k, 1/float64(b))
		prob(b, k, g["z"].Data, k, p, k)
		check := func(who string, each, gz, p []float64, rel float64) {
			t.Helper()
			sum := 0.0
			for _, e := range each {
				sum += e
			}
			near(t, who+" loss", []float64{sum / float64(b)}, g["loss"].Data, rel)
			near(t, who+" gz", gz, g["gz"].Data, rel)
			near(t, who+" prob", p, g["prob"].Data, rel)
		}
		check("reference in float64", each, gz, p, 1e-12)

		row := kerneltest.Row{Name: name, Args: []kerneltest.Arg{
			kerneltest.In("z", g["z"].Float32(), b, k), kerneltest.In("offsets", offsets, b+1), kerneltest.In("labels", labels, len(labels)),
			kerneltest.Out("each", kerneltest.Exact, b), kerneltest.Out("gz", kerneltest.Exact, b, k), kerneltest.Out("p", kerneltest.Exact, b, k),
		}, Call: func(d engine.Device, t []engine.Tensor) error {
			if err := Loss(d, t[0], t[1], t[2], t[3], t[4], float32(1/float64(b))); err != nil {
				return err
			}
			return Prob(d, t[0], t[5])
		}}
		devices := kerneltest.Devices(t)
		devices["ref"] = host.NewRef()
		for device, d := range devices {
			out, err := kerneltest.Execute(d, row)
			if err != nil {
				t.Fatal(err)
			}
			f := func(i int) []float64 { return kerneltest.Floats(engine.Float32, out[i]) }
			// Float32: a few roundings, and the argument of an exponential of size up to 100.
			check(device, f(3), f(4), f(5), 3e-6)
		}
	})
}

// near holds values against golden ones, each within rel of itself. Golden gradients are p − t in
// float64, which leaves an error of 1e-16 where p is near 1.
func near(t *testing.T, what string, got, want []float64, rel float64) {
	t.Helper()
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= rel*math.Abs(w)+1e-16) && !(math.IsInf(w, 0) && got[i] == w) {
			t.Errorf("%s[%d] = %v, want %v", what, i, got[i], w)
		}
	}
}

func goldenLabels(g map[string]kerneltest.Array, b, _ int) (offsets, labels []int32) {
	offsets = []int32{0}
	for r := range b {
		labels = append(labels, int32(g["label"].Data[r]))
		offsets = append(offsets, int32(r+1))
	}
	return offsets, labels
}

func TestGradient(t *testing.T) {
	const b, k = 3, 7
	r := kerneltest.Rand(5)
	z, gz, each := make([]float64, b*k), make([]float64, b*k), make([]float64, b)
	for i := range z {
		z[i] = 2 * r.NormFloat64()
	}
	offsets, labels := drawLabels(r, b, k)
	loss(b, k, z, k, offsets, labels, each, gz, k, 1)
	kerneltest.Gradient(t, map[string][]float64{"z": z}, map[string][]float64{"z": gz}, func() float64 {
		loss(b, k, z, k, offsets, labels, each, nil, 0, 1)
		return each[0] + each[1] + each[2]
	})
}

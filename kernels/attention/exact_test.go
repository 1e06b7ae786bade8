package attention

import (
	"math"
	"testing"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/kernels/kerneltest"
)

// Fixed point must be worth a float32, also where a few numbers of a row are much larger than the others and
// set its scale: errors are compared with those of float32's own multiply-adds.
func TestAMXIsAboutAsExact(t *testing.T) {
	devices := map[bool]engine.Device{}
	for _, without := range []bool{false, true} {
		d, err := host.NewCPU(host.Options{NoAMX: without})
		if err != nil {
			t.Skip(err)
		}
		defer d.Close()
		devices[without] = d
	}
	if devices[false].Arch() == devices[true].Arch() {
		t.Skip("no AMX here")
	}
	p := problem{size: size{8, 100, 1024, 32}, bytes: true, r: kerneltest.Rand(3)}
	for _, times := range []float32{1, 30, 1000} {
		forward, pool, scores, weights := p.forward(), p.pooling(), p.backwardScores(), p.backwardWeights()
		for _, c := range []struct {
			row    kerneltest.Row
			factor int // the argument that becomes fixed point, or what makes it
		}{{forward, 1}, {pool, 1}, {scores, 2}, {weights, 1}} {
			data := c.row.Args[c.factor].Data.([]float32)
			for i := 0; i < len(data); i += 1031 {
				data[i] *= times
			}
			want, err := kerneltest.Execute(host.NewRef(), c.row)
			if err != nil {
				t.Fatal(err)
			}
			off := map[bool][]float64{}
			for without, d := range devices {
				got, err := kerneltest.Execute(d, c.row)
				if err != nil {
					t.Fatal(err)
				}
				for i, arg := range c.row.Args {
					if arg.Write {
						off[without] = append(off[without], distance(got[i], want[i]))
					}
				}
			}
			t.Logf("%s, one number in a thousand %v times as large: off by %.2g with AMX, %.2g without", c.row.Name, times, off[false], off[true])
			for i := range off[false] {
				if off[false][i] > 3*off[true][i] {
					t.Errorf("%s: output %d is off by %.2g with AMX, by %.2g without", c.row.Name, i, off[false][i], off[true][i])
				}
			}
		}
	}
}

// distance is the root of the mean square of differences.
func distance(got, want []byte) float64 {
	w, sum := kerneltest.Floats(engine.Float32, want), 0.0
	for i, g := range kerneltest.Floats(engine.Float32, got) {
		sum += (g - w[i]) * (g - w[i])
	}
	return math.Sqrt(sum / float64(len(w)))
}

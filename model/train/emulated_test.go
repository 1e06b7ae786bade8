package train

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/engine/host"
	"avcu/engine/ptx"
	"avcu/kernels/kerneltest"
	"avcu/model"
	"avcu/ops"
)

// Twenty steps on the CUDA device, with its kernels on the virtual machine, follow the reference; and they
// give the same bits twice, in whatever order blocks run, and on a GPU in tests that were built for one.
// The second shape is Flash-MNIST's.
func TestEmulatedTraining(t *testing.T) {
	for name, s := range map[string]model.Spec{
		"youtube8m":   spec([]int{48, 16}, []int{4, 3}, 9, []int{24, 32}, 21, 0.5, ops.Sigmoid),
		"flash-mnist": spec([]int{50}, []int{3}, 25, nil, 64, 0.5, ops.Softmax),
	} {
		t.Run(name, func(t *testing.T) {
			want, reference := trainTwenty(t, host.NewRef(), s)
			var devices []engine.Device
			for _, o := range []ptx.Options{{}, {Permute: 7, Workers: 1}} {
				d, err := cuda.Open(ptx.NewDriver(o), cuda.Options{Name: "emu", Checks: true})
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				devices = append(devices, d)
			}
			for _, d := range kerneltest.GPUs(t) {
				devices = append(devices, d, d)
			}
			var first []byte
			for _, d := range devices {
				losses, weights := trainTwenty(t, d, s)
				for i := range want {
					if math.Abs(losses[i]-want[i]) > 1e-5*want[i] {
						t.Errorf("%s: step %d: loss %v, want %v within 1e-5", d.Name(), i+1, losses[i], want[i])
					}
				}
				for i, w := range weights {
					// A gradient near zero can turn a step of the learning rate; what is left of that after a few steps
					// is far below 1e-5 for all but a few weights, and those stay within a tenth of a step.
					if math.Abs(float64(w-reference[i])) > 1e-4 {
						t.Errorf("%s: weight %d is %v, want %v within 1e-4", d.Name(), i, w, reference[i])
					}
				}
				bits := floatBytes(weights)
				if first == nil {
					first = bits
				} else if !bytes.Equal(bits, first) {
					t.Errorf("%s (%s): a second run ends with other weights than the first", d.Name(), d.Arch())
				}
			}
		})
	}
}

// trainTwenty returns the loss of each of twenty steps, and the weights at the end but for those whose
// gradient is zero in exact arithmetic, which Adam makes of noise.
func trainTwenty(t *testing.T, d engine.Device, s model.Spec) (losses []float64, weights []float32) {
	r, err := NewRunner(d, s, Options{Batch: 12, Learn: true, TopK: 5, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Params.Initialise(11); err != nil {
		t.Fatal(err)
	}
	for step := range 20 {
		n := 12 - 5*(step%2) // short batches too
		loss, err := r.Step(made(s, n, uint64(step)), int64(step), 1e-3, engine.Tensor{})
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, loss)
	}
	for _, p := range r.Params.List {
		w := make([]float32, p.Value.Len())
		if err := engine.Read(d, w, p.Value); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(p.Name, "conv.bias") {
			weights = append(weights, w...)
		}
	}
	return losses, weights
}

func floatBytes(w []float32) (b []byte) {
	for _, v := range w {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

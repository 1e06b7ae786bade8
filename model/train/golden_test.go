package train

import (
	"fmt"
	"math"
	"path/filepath"
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

// golden is one recorded network: ten batches with their masks, and all that PyTorch made of them in
// float64.
type golden struct {
	spec   model.Spec
	batch  int
	arrays map[string]map[string]kerneltest.Array // by file
}

var goldenCases = map[string]golden{
	"two_mod":   {spec: spec([]int{24, 8}, []int{4, 3}, 7, []int{16, 20}, 11, 0.5, ops.Sigmoid), batch: 5},
	"three_mod": {spec: spec([]int{16, 5, 9}, []int{3, 1, 4}, 11, []int{13, 8}, 7, 0.5, ops.Sigmoid), batch: 4},
	"one_mod":   {spec: spec([]int{37}, []int{5}, 13, []int{10, 12}, 13, 0.25, ops.Sigmoid), batch: 6},
	"one_frame": {spec: spec([]int{6, 3}, []int{1, 2}, 1, []int{4, 5}, 3, 0.5, ops.Sigmoid), batch: 1},
	"flash":     {spec: spec([]int{50}, []int{8}, 25, nil, 16, 0.5, ops.Softmax), batch: 7},
	"mid":       {spec: spec([]int{64, 16}, []int{8, 4}, 20, []int{48, 64}, 101, 0.5, ops.Sigmoid), batch: 6},
}

func spec(dims, units []int, frames int, hidden []int, classes int, rate float64, loss ops.LossKind) model.Spec {
	s := model.Spec{Frames: frames, Hidden: hidden, Classes: classes, Loss: loss, DropRate: rate}
	for i := range dims {
		s.Modalities = append(s.Modalities, model.Modality{Name: fmt.Sprint("m", i), Dim: dims[i], Units: units[i]})
	}
	return s
}

func loadGolden(t *testing.T, name string) golden {
	g := goldenCases[name]
	g.arrays = map[string]map[string]kerneltest.Array{}
	for _, file := range []string{"inputs", "weights0", "forward_train", "forward_eval", "grads", "train"} {
		g.arrays[file] = kerneltest.LoadNPZ(t, filepath.Join("..", "testdata", name, file+".npz"))
	}
	return g
}

// at is the batch of a step, and its mask.
func (g golden) at(step int) (*Batch, []uint8) {
	in := g.arrays["inputs"]
	b := &Batch{Offsets: []int32{0}}
	for m, mod := range g.spec.Modalities {
		n := g.batch * g.spec.Frames * mod.Dim
		b.Features = append(b.Features, in[fmt.Sprint("q", m)].Uint8()[step*n:(step+1)*n])
	}
	labels, width := in["labels"].Data, g.spec.Classes
	if g.spec.Loss == ops.Softmax {
		width = 1
	}
	for v := range g.batch {
		b.IDs = append(b.IDs, fmt.Sprint("video", v))
		row := labels[(step*g.batch+v)*width:][:width]
		for k, y := range row {
			if g.spec.Loss == ops.Softmax {
				b.Labels = append(b.Labels, int32(y))
			} else if y == 1 {
				b.Labels = append(b.Labels, int32(k))
			}
		}
		b.Offsets = append(b.Offsets, int32(len(b.Labels)))
	}
	n := g.batch * g.spec.Width()
	return b, in["mask"].Uint8()[step*n : (step+1)*n]
}

// noise says of parameters whose gradient is zero in exact arithmetic: a softmax over frames ignores a
// constant, and with one frame it ignores everything. What float32 leaves there, Adam turns into moves
// of up to the learning rate that change no output.
func (g golden) noise(name string) bool {
	return strings.HasSuffix(name, "conv.bias") || g.spec.Frames == 1 && strings.HasSuffix(name, "conv.weight")
}

func goldenRunner(t *testing.T, d engine.Device, g golden, unfused bool) *Runner {
	r, err := NewRunner(d, g.spec, Options{Batch: g.batch, Learn: true, TopK: 20, Unfused: unfused})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	for _, p := range r.Params.List {
		a, ok := g.arrays["weights0"][p.Name]
		if !ok || fmt.Sprint(a.Shape) != fmt.Sprint(p.Shape) {
			t.Fatalf("golden weights have %s as %v, want %v", p.Name, a.Shape, p.Shape)
		}
		if err := engine.Write(d, p.Value, a.Float32()); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func giveMask(t *testing.T, d engine.Device, g golden, mask []uint8) engine.Tensor {
	m, err := d.Alloc(int64(len(mask)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Free(m) })
	given := engine.NewTensor(m, 0, engine.Uint8, 0, g.batch, g.spec.Width())
	if err := engine.Write(d, given, mask); err != nil {
		t.Fatal(err)
	}
	return given
}

// devices are the reference, the CPU as users get it, the CUDA device on the virtual machine, and GPUs in
// tests that were built for them.
func devices(t *testing.T) []engine.Device {
	emu, err := cuda.Open(ptx.NewDriver(ptx.Options{}), cuda.Options{Name: "emu", Checks: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emu.Close() })
	list := []engine.Device{host.NewRef(), emu}
	if cpu, err := host.NewCPU(host.Options{}); err == nil {
		t.Cleanup(func() { _ = cpu.Close() })
		list = append(list, cpu)
	}
	return append(list, kerneltest.GPUs(t)...)
}

// near compares a tensor with golden values: within rel of the largest of them, or of 1 if that is
// more and absolute is set.
func near(t *testing.T, d engine.Device, what string, got engine.Tensor, want kerneltest.Array, rel float64, absolute bool) {
	t.Helper()
	data := make([]float32, got.Len())
	if err := engine.Read(d, data, got); err != nil {
		t.Fatal(err)
	}
	if len(data) != len(want.Data) {
		t.Fatalf("%s: %d values, want %d", what, len(data), len(want.Data))
	}
	largest, worst, at := 0.0, 0.0, 0
	if absolute {
		largest = 1
	}
	for _, w := range want.Data {
		largest = math.Max(largest, math.Abs(w))
	}
	for i, w := range want.Data {
		if e := math.Abs(float64(data[i]) - w); !(e <= worst) {
			worst, at = e, i
		}
	}
	if !(worst <= rel*largest) {
		t.Errorf("%s[%d] = %v, want %v: off by %.2g of the largest, allowed %.2g", what, at, data[at], want.Data[at], worst/largest, rel)
	}
}

// What Paddle's own float32 reaches against the same float64 truth is 3e-7 for logits, 3e-6 of the
// largest for gradients and an absolute 4e-7 for weights after ten steps (a gradient near zero can
// turn a step of the learning rate, 1e-3); the tolerances are about three times that, since sums are
// taken in another order.
const (
	valueTol  = 1e-6
	gradTol   = 1e-5
	weightTol = 1e-6
)

func TestGoldenForward(t *testing.T) {
	for name := range goldenCases {
		g := loadGolden(t, name)
		for _, d := range devices(t) {
			t.Run(name+"/"+d.Name(), func(t *testing.T) {
				r := goldenRunner(t, d, g, true)
				b, mask := g.at(0)
				given := giveMask(t, d, g, mask)
				for kind, graph := range map[string]*model.Graph{"forward_train": r.Train, "forward_eval": r.Eval} {
					want := g.arrays[kind]
					p := engine.Pass{Rows: g.batch, Batch: g.batch}
					if kind == "forward_train" {
						p.Given = given
					}
					sum, err := r.forward(graph, b, &p)
					if err != nil {
						t.Fatal(err)
					}
					check := func(key string, got engine.Tensor) {
						if a, ok := want[key]; ok {
							near(t, d, kind+" "+key, got, a, valueTol, false)
						}
					}
					for m := range g.spec.Modalities {
						check(fmt.Sprint("a", m), graph.Attention[m])
						check(fmt.Sprint("v", m), graph.Pooled[m].Value)
					}
					check("dropped", graph.Rep.Value)
					for i, h := range graph.Hidden {
						check(fmt.Sprint("fc", i+1), h.Value)
					}
					check("logits", graph.Logits.Value)
					if graph.Prob != nil {
						check("prob", graph.Prob.Value)
					}
					if a, ok := want["loss"]; ok {
						if loss := sum / float64(g.batch); math.Abs(loss-a.Data[0]) > valueTol*a.Data[0] {
							t.Errorf("%s loss %v, want %v", kind, loss, a.Data[0])
						}
					}
				}
			})
		}
	}
}

func TestGoldenGradients(t *testing.T) {
	for name := range goldenCases {
		g := loadGolden(t, name)
		for _, d := range devices(t) {
			t.Run(name+"/"+d.Name(), func(t *testing.T) {
				r := goldenRunner(t, d, g, true)
				b, mask := g.at(0)
				if _, err := r.Step(b, 0, 0, giveMask(t, d, g, mask)); err != nil {
					t.Fatal(err)
				}
				for _, p := range r.Params.List {
					if !g.noise(p.Name) {
						near(t, d, "gradient of "+p.Name, p.Grad, g.arrays["grads"][p.Name], gradTol, false)
					}
				}
			})
		}
	}
}

func TestGoldenTraining(t *testing.T) {
	for name := range goldenCases {
		g := loadGolden(t, name)
		for _, d := range devices(t) {
			for _, unfused := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/unfused=%v", name, d.Name(), unfused), func(t *testing.T) {
					r := goldenRunner(t, d, g, unfused)
					want := g.arrays["train"]
					for step := range 10 {
						b, mask := g.at(step)
						loss, err := r.Step(b, int64(step), 1e-3, giveMask(t, d, g, mask))
						if err != nil {
							t.Fatal(err)
						}
						if w := want["loss"].Data[step]; math.Abs(loss-w) > 2*valueTol*math.Abs(w) {
							t.Errorf("step %d: loss %v, want %v", step+1, loss, w)
						}
						for _, p := range r.Params.List {
							if a, ok := want[fmt.Sprintf("%d/%s", step+1, p.Name)]; ok && !g.noise(p.Name) {
								near(t, d, fmt.Sprintf("step %d: %s", step+1, p.Name), p.Value, a, weightTol, true)
							}
						}
					}
				})
			}
		}
	}
}

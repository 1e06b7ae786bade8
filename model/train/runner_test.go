package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/model"
	"avcu/ops"
)

// made is a batch of drawn videos for a model.
func made(s model.Spec, n int, seed uint64) *Batch {
	r := rand.New(rand.NewPCG(seed, 1))
	b := &Batch{Offsets: []int32{0}}
	for _, m := range s.Modalities {
		q := make([]byte, n*s.Frames*m.Dim)
		for i := range q {
			q[i] = byte(r.Uint32())
		}
		b.Features = append(b.Features, q)
	}
	for v := range n {
		b.IDs = append(b.IDs, fmt.Sprint(v))
		b.Labels = append(b.Labels, int32(r.IntN(s.Classes)))
		b.Offsets = append(b.Offsets, int32(len(b.Labels)))
	}
	return b
}

func newRunner(t testing.TB, d engine.Device, s model.Spec, o Options) *Runner {
	t.Helper()
	r, err := NewRunner(d, s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if err := r.Params.Initialise(7); err != nil {
		t.Fatal(err)
	}
	return r
}

// Attention scored by two layers: gradients against differences of the loss, on the reference device.
func TestAttentionHiddenGradient(t *testing.T) {
	s := spec([]int{5, 3}, []int{3, 2}, 4, []int{6}, 5, 0.5, ops.Sigmoid)
	s.AttentionHidden = 4
	d := host.NewRef()
	r := newRunner(t, d, s, Options{Batch: 3, Learn: true, TopK: 5, Unfused: true, Seed: 2})
	b := made(s, 3, 9)
	if _, err := r.Step(b, 0, 0, engine.Tensor{}); err != nil { // a rate of 0 changes nothing
		t.Fatal(err)
	}
	p := engine.Pass{Rows: 3, Batch: 3, Seed: 2}
	loss := func() float64 {
		sum, err := r.forward(r.Train, b, &p)
		if err != nil {
			t.Fatal(err)
		}
		return sum / 3
	}
	checked := 0
	for _, q := range r.Params.List {
		w, g := make([]float32, q.Value.Len()), make([]float32, q.Value.Len())
		if err := engine.Read(d, w, q.Value); err != nil {
			t.Fatal(err)
		}
		if err := engine.Read(d, g, q.Grad); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(w); i += max(1, len(w)/5) {
			at := func(x float32) float64 {
				moved := append([]float32(nil), w...)
				moved[i] = x
				if err := engine.Write(d, q.Value, moved); err != nil {
					t.Fatal(err)
				}
				return loss()
			}
			const h = 1.0 / 2048
			slope := (at(w[i]+h) - at(w[i]-h)) / (2 * h)
			// The loss is about 3 and stored in float32, so a difference is good to 2e-7/h = 4e-4; where
			// a unit is short, its L2 norm bends by some 300 h² = 7e-5.
			if math.Abs(slope-float64(g[i])) > 1e-3 {
				t.Errorf("d loss / d %s[%d] = %v, differences say %v", q.Name, i, g[i], slope)
			}
			checked++
		}
		if err := engine.Write(d, q.Value, w); err != nil {
			t.Fatal(err)
		}
	}
	if checked < 40 {
		t.Errorf("only %d gradients were checked", checked)
	}
}

// Once a graph has run, a step allocates nothing, and neither does a batch of inference.
func TestStepAllocatesNothing(t *testing.T) {
	d, err := host.NewCPU(host.Options{})
	if err != nil {
		t.Skip(err)
	}
	defer d.Close()
	for _, hidden := range []int{0, 6} {
		for _, o := range []Options{{Batch: 8}, {Batch: 8, Micro: 3}, {Batch: 8, ClipNorm: 1}, {Batch: 8, Unfused: true}} {
			s := spec([]int{24, 8}, []int{4, 3}, 7, []int{16, 20}, 11, 0.5, ops.Sigmoid)
			s.AttentionHidden = hidden
			o.Learn, o.TopK = true, 5
			r := newRunner(t, d, s, o)
			b := made(s, 8, 1)
			step := int64(0)
			n := testing.AllocsPerRun(20, func() {
				if _, err := r.Step(b, step, 1e-3, engine.Tensor{}); err != nil {
					t.Fatal(err)
				}
				step++
			})
			if n > 0 {
				t.Errorf("attention_hidden %d, %+v: a step allocates %v times", hidden, o, n)
			}
			few := made(s, max(o.Micro, 1), 1)
			if n := testing.AllocsPerRun(20, func() {
				if err := r.Forward(few); err != nil {
					t.Fatal(err)
				}
			}); n > 0 {
				t.Errorf("attention_hidden %d: a batch of inference allocates %v times", hidden, n)
			}
		}
	}
}

// A video with more labels than evaluation ranks is ranked further, from its probabilities.
func TestRankingReachesAllLabels(t *testing.T) {
	s := spec([]int{6}, []int{2}, 3, nil, 30, 0, ops.Sigmoid)
	d := host.NewRef()
	r := newRunner(t, d, s, Options{Batch: 2, TopK: 4})
	b := made(s, 2, 3)
	if err := r.Forward(b); err != nil {
		t.Fatal(err)
	}
	rank := r.newRanking()
	if err := rank.read(2); err != nil {
		t.Fatal(err)
	}
	first, _ := rank.row(1)
	top := append([]int32(nil), first...)
	classes, probs, err := rank.atLeast(1, 9)
	if err != nil {
		t.Fatal(err)
	}
	if len(classes) != 30 || len(probs) != 30 || fmt.Sprint(classes[:4]) != fmt.Sprint(top) {
		t.Errorf("ranked %d classes beginning %v, want 30 beginning %v", len(classes), classes[:4], top)
	}
	for i := 1; i < len(probs); i++ {
		if probs[i] > probs[i-1] {
			t.Errorf("place %d is higher than place %d", i, i-1)
		}
	}
}

func TestPlanRate(t *testing.T) {
	p := Plan{LearningRate: 2, Linear: true, Total: 10, WarmupSteps: 2}
	for step, want := range map[int64]float64{0: 1, 1: 1.8, 5: 1, 9: 0.2, 10: 0, 11: 0} {
		if got := p.Rate(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("step %d: rate %v, want %v", step, got, want)
		}
	}
}

// Clipping must limit the norm of what Adam sees: with a tiny limit the first moment is as small.
func TestClipNorm(t *testing.T) {
	s := spec([]int{6}, []int{2}, 3, nil, 5, 0, ops.Sigmoid)
	for _, d := range devices(t) {
		r := newRunner(t, d, s, Options{Batch: 4, Learn: true, TopK: 4, ClipNorm: 1e-3})
		if _, err := r.Step(made(s, 4, 3), 0, 1e-3, engine.Tensor{}); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, q := range r.Params.List {
			m := make([]float32, q.M.Len())
			if err := engine.Read(d, m, q.M); err != nil {
				t.Fatal(err)
			}
			for _, x := range m {
				sum += float64(x) * float64(x)
			}
		}
		// After one step m = (1−β1)·g.
		if got := math.Sqrt(sum) / (1 - Beta1); math.Abs(got-1e-3) > 1e-8 {
			t.Errorf("%s: the gradient that Adam saw has norm %v, want 0.001", d.Name(), got)
		}
	}
}

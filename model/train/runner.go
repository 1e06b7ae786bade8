// Package train runs models: training steps, whole trainings that stop and go on to the bit,
// evaluation and inference. Where batches come from and where results go is behind interfaces in
// built-in types, so that it knows no file format.
package train

import (
	"errors"
	"fmt"
	"math"

	"avcu/engine"
	"avcu/engine/cuda"
	"avcu/model"
	"avcu/ops"
)

// Adam's constants as the published training has them.
const (
	Beta1   = 0.9
	Beta2   = 0.999
	Epsilon = 1e-8
)

// Batch is some videos as a Source delivers them.
type Batch struct {
	Features [][]byte // one a modality, [n, L, D] quantised
	Offsets  []int32  // [n+1]: labels of video b are Labels[Offsets[b]:Offsets[b+1]]
	Labels   []int32
	IDs      []string
}

// Len is the number of videos.
func (b *Batch) Len() int { return len(b.IDs) }

// Options of NewRunner.
type Options struct {
	Batch    int     // most videos in a step
	Micro    int     // gradients are summed over micro-batches of so many; 0: the whole batch at once
	Learn    bool    // a training graph beside the evaluation graph
	TopK     int     // classes that evaluation ranks
	ClipNorm float64 // limit of the gradient's norm; 0: none
	Seed     uint64  // of dropout
	Infer    bool    // labels are not looked at: there is no loss
	Unfused  bool    // write every gradient and update afterwards, for comparison

	Trace func(op, part string) // told of every kernel, see engine.Pass; for profiles
}

// Runner is a model on a device with its graphs recorded and its memory made.
type Runner struct {
	Params *model.Params
	Train  *model.Graph // nil without Learn
	Eval   *model.Graph

	dev     engine.Device
	spec    model.Spec
	opt     Options
	arena   *engine.Arena
	each    []float32
	offsets []int32
	clip    engine.Tensor
	stage   *stage      // nil on devices that do not stage
	pass    engine.Pass // that runs now: here, so that a step allocates nothing
}

// NewRunner records the graphs and allocates all memory that running them takes. The parameters are
// zero.
func NewRunner(d engine.Device, spec model.Spec, opt Options) (*Runner, error) {
	if opt.Micro <= 0 || opt.Micro > opt.Batch {
		opt.Micro = opt.Batch
	}
	params, err := model.NewParams(d, spec.Decls(), opt.Learn)
	if err != nil {
		return nil, err
	}
	r := &Runner{Params: params, dev: d, spec: spec, opt: opt, arena: engine.NewArena(d)}
	r.each, r.offsets = make([]float32, opt.Micro), make([]int32, opt.Micro+1)
	r.clip = r.arena.Tensor(engine.Float32, 2)
	if s, ok := d.(engine.Stager); ok && opt.Learn {
		r.stage = newStage(s, r.arena, spec, opt.Micro)
	}
	mark := r.arena.Mark()
	if opt.Learn {
		r.Train = spec.Build(engine.NewTape(r.arena, true), params, opt.Micro, 0, true)
		r.arena.Release(mark)
	}
	r.Eval = spec.Build(engine.NewTape(r.arena, false), params, opt.Micro, opt.TopK, !opt.Infer)
	if err := r.arena.Commit(); err != nil {
		return nil, errors.Join(r.fitting(err), r.arena.Free(), params.Free())
	}
	return r, nil
}

// fitting adds to an error for want of memory how many videos there would be room for: what graphs take
// grows with their number.
func (r *Runner) fitting(err error) error {
	var full *cuda.MemoryError
	if !errors.As(err, &full) || r.arena.Bytes() == 0 {
		return err
	}
	n := int64(r.opt.Micro) * full.Free / r.arena.Bytes() * 95 / 100 // and some room for what kernels need
	if n < 1 {
		return fmt.Errorf("%w; beside %d million parameters there is no room for any batch", err, r.Params.Count()/1e6)
	}
	return fmt.Errorf("%w; batches of %d would fit: use --batch-size %d, or --micro-batch %d for training in the same steps", err, n, n, n)
}

// Close returns the memory.
func (r *Runner) Close() error { return errors.Join(r.arena.Free(), r.Params.Free()) }

// Bytes is the memory of parameters with what Adam keeps of them, and of the graphs.
func (r *Runner) Bytes() (params, graphs int64) {
	blocks := int64(1)
	if r.opt.Learn {
		blocks = 4
	}
	return 4 * blocks * int64(r.Params.Count()), r.arena.Bytes()
}

// Step trains on one batch: step counts from 0, rate is the learning rate before Adam's corrections.
// It returns the mean loss of the batch before the update. Where that is not finite nothing is
// changed.
func (r *Runner) Step(b *Batch, step int64, rate float64, given engine.Tensor) (float64, error) {
	n := b.Len()
	if n == 0 || n > r.opt.Batch {
		return 0, fmt.Errorf("train: a batch of %d videos where 1 to %d are expected", n, r.opt.Batch)
	}
	s := engine.Step{Rate: ops.Rate(rate, Beta1, Beta2, int(step)+1), Beta1: Beta1, Beta2: Beta2, Epsilon: Epsilon}
	if fuse := n <= r.opt.Micro && r.opt.ClipNorm == 0 && !r.opt.Unfused; fuse {
		r.Params.Offer(r.Train.Vars, s)
	} else {
		r.Params.Withdraw(r.Train.Vars)
	}
	sum := 0.0
	for first := 0; first < n; first += r.opt.Micro {
		p := &r.pass
		*p = engine.Pass{Rows: min(r.opt.Micro, n-first), First: first, Batch: n, Seed: r.opt.Seed, Step: uint32(step), Given: given, Trace: r.opt.Trace}
		if !given.IsZero() && n > r.opt.Micro {
			return 0, errors.New("train: a given mask is for a batch in one piece")
		}
		loss, err := r.forward(r.Train, b, p)
		if err != nil {
			return 0, err
		}
		if sum += loss; math.IsNaN(sum) || math.IsInf(sum, 0) {
			return sum / float64(n), nil
		}
		if err := r.Train.Tape.Backward(p, first > 0); err != nil {
			return 0, err
		}
	}
	var scale engine.Tensor
	if r.opt.ClipNorm > 0 {
		if err := ops.Norm(r.dev, r.Params.Grads(), r.clip, r.opt.ClipNorm); err != nil {
			return 0, err
		}
		scale = r.clip.Columns(1, 2)
	}
	if err := r.Params.Update(r.Train.Vars, s, scale); err != nil {
		return 0, err
	}
	if r.opt.Trace != nil {
		r.opt.Trace("adam", "update of the rest")
	}
	return sum / float64(n), nil
}

// forward brings p.Rows videos of b from p.First on to the device, runs the graph and returns the sum
// of their losses.
func (r *Runner) forward(g *model.Graph, b *Batch, p *engine.Pass) (float64, error) {
	if err := r.load(g, b, p.First, p.Rows); err != nil {
		return 0, err
	}
	p.Done("batch")
	if err := g.Tape.Forward(p); err != nil {
		return 0, err
	}
	if g.Each.IsZero() {
		return 0, nil
	}
	each := r.each[:p.Rows]
	if err := engine.Read(r.dev, each, g.Each.Prefix(p.Rows)); err != nil {
		return 0, err
	}
	sum := 0.0
	for _, l := range each {
		sum += float64(l)
	}
	return sum, nil
}

func (r *Runner) load(g *model.Graph, b *Batch, first, n int) error {
	if len(b.Features) != len(g.Features) {
		return fmt.Errorf("train: a batch of %d modalities for a model of %d", len(b.Features), len(g.Features))
	}
	part := func(m, size int) []byte { return b.Features[m][first*size : (first+n)*size] }
	if r.stage != nil && g == r.Train {
		if err := r.stage.load(g.Features, n, part); err != nil {
			return err
		}
	} else {
		for m, f := range g.Features {
			if err := engine.Feed(r.dev, f, n, part(m, f.Value.Dim(1)*f.Value.Dim(2))); err != nil {
				return err
			}
		}
	}
	if g.Each.IsZero() {
		return nil
	}
	if err := r.checkLabels(b, first, n); err != nil {
		return err
	}
	from, to := b.Offsets[first], b.Offsets[first+n]
	if int(to-from) > g.Labels.Classes.Len() {
		return fmt.Errorf("train: %d labels for %d videos and %d classes: some video names a class more than once", to-from, n, r.spec.Classes)
	}
	for i := range n + 1 {
		r.offsets[i] = b.Offsets[first+i] - from
	}
	if err := engine.Write(r.dev, g.Labels.Offsets.Prefix(n+1), r.offsets[:n+1]); err != nil {
		return err
	}
	return engine.Write(r.dev, g.Labels.Classes.Prefix(int(to-from)), b.Labels[from:to])
}

// checkLabels verifies what kernels on a device with memory of its own cannot report.
func (r *Runner) checkLabels(b *Batch, first, n int) error {
	for i := first; i < first+n; i++ {
		mine := b.Labels[b.Offsets[i]:b.Offsets[i+1]]
		for _, k := range mine {
			if k < 0 || int(k) >= r.spec.Classes {
				return fmt.Errorf("train: video %s has label %d, and there are %d classes", b.IDs[i], k, r.spec.Classes)
			}
		}
		if r.spec.Loss == ops.Softmax && len(mine) != 1 {
			return fmt.Errorf("train: video %s has %d labels; the softmax loss needs exactly one", b.IDs[i], len(mine))
		}
	}
	return nil
}

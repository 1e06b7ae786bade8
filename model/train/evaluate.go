package train

import (
	"cmp"
	"errors"
	"io"
	"slices"

	"avcu/engine"
)

// Source delivers batches. Features are uint8, labels sparse; slices are valid until the next call.
type Source interface {
	// Start begins an epoch and passes over its first skip videos.
	Start(epoch int, skip int64) error
	// Next returns the next batch, the last one short, then io.EOF.
	Next() (features [][]byte, offsets, labels []int32, ids []string, err error)
	// Count is the number of videos of an epoch.
	Count() (int64, error)
}

// Metric takes the ranked classes of one video with its labels, and sums of losses.
type Metric interface {
	Add(id string, classes []int32, probs []float32, labels []int32) error
	AddLoss(sum float64) error
}

// Evaluate runs the model in evaluation mode over epoch 0 of the source. Progress, where not nil, is
// told how many videos are done.
func (r *Runner) Evaluate(s Source, m Metric, progress func(videos int)) error {
	rank := r.newRanking()
	return r.run(s, progress, func(b *Batch, first, n int, loss float64) error {
		if err := rank.read(n); err != nil {
			return err
		}
		for i := range n {
			labels := b.Labels[b.Offsets[first+i]:b.Offsets[first+i+1]]
			classes, probs, err := rank.atLeast(i, len(labels))
			if err != nil {
				return err
			}
			if err := m.Add(b.IDs[first+i], classes, probs, labels); err != nil {
				return err
			}
		}
		return m.AddLoss(loss)
	})
}

// Infer hands the ranked classes of every video, in the source's order, to f.
func (r *Runner) Infer(s Source, f func(id string, classes []int32, probs []float32) error, progress func(videos int)) error {
	rank := r.newRanking()
	return r.run(s, progress, func(b *Batch, first, n int, _ float64) error {
		if err := rank.read(n); err != nil {
			return err
		}
		for i := range n {
			classes, probs := rank.row(i)
			if err := f(b.IDs[first+i], classes, probs); err != nil {
				return err
			}
		}
		return nil
	})
}

// Forward runs the evaluation graph on one batch of at most Micro videos; what it computed can then be
// read from Eval.
func (r *Runner) Forward(b *Batch) error {
	r.pass = engine.Pass{Rows: b.Len(), Batch: b.Len(), Trace: r.opt.Trace}
	_, err := r.forward(r.Eval, b, &r.pass)
	return err
}

// run evaluates every batch of the source in pieces of at most Micro videos, and calls f after each.
func (r *Runner) run(s Source, progress func(int), f func(b *Batch, first, n int, loss float64) error) error {
	if err := s.Start(0, 0); err != nil {
		return err
	}
	done := 0
	for {
		var b Batch
		if err := next(s, &b); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		for first := 0; first < b.Len(); first += r.opt.Micro {
			p := &r.pass
			*p = engine.Pass{Rows: min(r.opt.Micro, b.Len()-first), First: first, Batch: b.Len(), Trace: r.opt.Trace}
			loss, err := r.forward(r.Eval, &b, p)
			if err != nil {
				return err
			}
			if err := f(&b, first, p.Rows, loss); err != nil {
				return err
			}
		}
		if done += b.Len(); progress != nil {
			progress(done)
		}
	}
}

// next is Source.Next as a Batch.
func next(s Source, b *Batch) (err error) {
	b.Features, b.Offsets, b.Labels, b.IDs, err = s.Next()
	return err
}

// ranking is the highest classes of a batch, read from the device.
type ranking struct {
	r       *Runner
	k       int
	classes []int32   // [rows, k]
	probs   []float32 // [rows, k]
	all     []float32 // [K], of one video
	order   []int32
}

func (r *Runner) newRanking() *ranking {
	k := r.Eval.TopValues.Cols()
	return &ranking{r: r, k: k, classes: make([]int32, r.opt.Micro*k), probs: make([]float32, r.opt.Micro*k)}
}

func (q *ranking) read(rows int) error {
	if err := engine.Read(q.r.dev, q.classes[:rows*q.k], q.r.Eval.TopClass.Prefix(rows)); err != nil {
		return err
	}
	return engine.Read(q.r.dev, q.probs[:rows*q.k], q.r.Eval.TopValues.Prefix(rows))
}

func (q *ranking) row(i int) ([]int32, []float32) {
	return q.classes[i*q.k : (i+1)*q.k], q.probs[i*q.k : (i+1)*q.k]
}

// atLeast is the ranking of video i down to n classes or further: the device's, or, for a video with
// more labels than those, all of its probabilities sorted here.
func (q *ranking) atLeast(i, n int) ([]int32, []float32, error) {
	if n <= q.k || q.k == q.r.spec.Classes {
		classes, probs := q.row(i)
		return classes, probs, nil
	}
	prob := q.r.Eval.Prob.Value
	if q.all == nil {
		q.all, q.order = make([]float32, prob.Cols()), make([]int32, prob.Cols())
	}
	if err := engine.Read(q.r.dev, q.all, prob.Row(i)); err != nil {
		return nil, nil, err
	}
	for c := range q.order {
		q.order[c] = int32(c)
	}
	slices.SortFunc(q.order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(q.all[b], q.all[a]), cmp.Compare(a, b))
	})
	ranked := make([]float32, len(q.order))
	for place, c := range q.order {
		ranked[place] = q.all[c]
	}
	return q.order, ranked, nil
}

package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"avcu/engine"
)

// Plan says how long and how fast to train.
type Plan struct {
	Epochs        int
	MaxSteps      int64 // in all, resumed steps included; 0: no limit
	LearningRate  float64
	Linear        bool  // the learning rate falls linearly, to 0 after step Total
	Total         int64 // steps of the whole training, for Linear
	WarmupSteps   int64 // over which the learning rate rises from 0
	LogInterval   int64 // steps between two logged ones
	SaveInterval  int64 // steps between two checkpoints; 0: after each epoch
	ValidInterval int   // epochs between two validations; 0: none
}

// Rate is the learning rate of a step, counted from 0.
func (p Plan) Rate(step int64) float64 {
	rate := p.LearningRate
	if p.Linear && p.Total > 0 {
		rate *= math.Max(0, 1-float64(step)/float64(p.Total))
	}
	if step < p.WarmupSteps {
		rate *= float64(step+1) / float64(p.WarmupSteps)
	}
	return rate
}

// State is where a training stands: all of it besides weights and moments.
type State struct {
	Step   int64 // steps done
	Epoch  int   // epochs done
	Videos int64 // videos of the present epoch done
}

// Sink takes what a training makes.
type Sink interface {
	// Step is told of every step, numbered from 1; logged ones carry figures since the last logged one.
	Step(s State, loss, rate float64, logged bool, videosPerSecond, dataWait float64) error
	// Validate evaluates the model and keeps the best.
	Validate(s State) error
	// Checkpoint saves the model at s.
	Checkpoint(s State) error
}

// ErrInterrupted is returned, after a checkpoint, where the context was cancelled.
var ErrInterrupted = errors.New("interrupted")

// Run trains from s on until the plan is fulfilled. When ctx is cancelled the present step is
// finished and a checkpoint written. A loss that is not finite ends the run without touching the last
// checkpoint.
func (r *Runner) Run(ctx context.Context, src Source, sink Sink, plan Plan, s State) error {
	l := loop{r: r, src: src, sink: sink, plan: plan, s: s, saved: s.Step, since: time.Now()}
	for l.s.Epoch < plan.Epochs && !l.full() {
		if err := l.epoch(ctx); err != nil {
			return err
		}
	}
	return l.save()
}

type loop struct {
	r     *Runner
	src   Source
	sink  Sink
	plan  Plan
	s     State
	saved int64 // step of the last checkpoint

	since  time.Time // of the last logged step
	waited time.Duration
	videos int64
}

func (l *loop) full() bool { return l.plan.MaxSteps > 0 && l.s.Step >= l.plan.MaxSteps }

func (l *loop) epoch(ctx context.Context) error {
	if err := l.src.Start(l.s.Epoch, l.s.Videos); err != nil {
		return err
	}
	for {
		if l.full() {
			return nil
		}
		if ctx.Err() != nil {
			if err := l.save(); err != nil {
				return err
			}
			return ErrInterrupted
		}
		var b Batch
		asked := time.Now()
		err := next(l.src, &b)
		l.waited += time.Since(asked)
		if errors.Is(err, io.EOF) {
			return l.endEpoch()
		} else if err != nil {
			return err
		}
		if err := l.step(&b); err != nil {
			return err
		}
	}
}

func (l *loop) step(b *Batch) error {
	rate := l.plan.Rate(l.s.Step)
	loss, err := l.r.Step(b, l.s.Step, rate, engine.Tensor{})
	if err != nil {
		return fmt.Errorf("step %d: %w", l.s.Step+1, err)
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("step %d: the loss is %v; the last checkpoint is from step %d: resume from it with a lower learning rate or with TRAIN.clip_norm", l.s.Step+1, loss, l.saved)
	}
	l.s.Step++
	l.s.Videos += int64(b.Len())
	l.videos += int64(b.Len())
	logged := l.plan.LogInterval > 0 && (l.s.Step%l.plan.LogInterval == 0 || l.s.Step == 1)
	speed, wait := 0.0, 0.0
	if logged {
		spent := time.Since(l.since)
		speed, wait = float64(l.videos)/spent.Seconds(), l.waited.Seconds()/spent.Seconds()
		l.restart()
	}
	if err := l.sink.Step(l.s, loss, rate, logged, speed, wait); err != nil {
		return err
	}
	if l.plan.SaveInterval > 0 && l.s.Step%l.plan.SaveInterval == 0 {
		return l.save()
	}
	return nil
}

// endEpoch validates and saves where the plan says so.
func (l *loop) endEpoch() error {
	if l.s.Videos == 0 {
		return errors.New("train: the training data holds no video")
	}
	l.s.Epoch, l.s.Videos = l.s.Epoch+1, 0
	if l.plan.ValidInterval > 0 && l.s.Epoch%l.plan.ValidInterval == 0 {
		if err := l.sink.Validate(l.s); err != nil {
			return err
		}
	}
	if l.plan.SaveInterval == 0 {
		return l.save()
	}
	return nil
}

// save writes a checkpoint unless the last one is of this step.
func (l *loop) save() error {
	if l.saved == l.s.Step {
		return nil
	}
	if err := l.sink.Checkpoint(l.s); err != nil {
		return err
	}
	l.saved = l.s.Step
	l.restart()
	return nil
}

func (l *loop) restart() { l.since, l.waited, l.videos = time.Now(), 0, 0 }

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"avcu/bench/peak"
	"avcu/engine"
	"avcu/engine/host"
	"avcu/model"
	"avcu/model/train"
)

// checkSteps are the steps that the check compares.
const checkSteps = 10

// runChild is avcu's side, in a process of its own.
func runChild(w io.Writer, o options) error {
	e := json.NewEncoder(w)
	switch o.job {
	case "inputs":
		return writeInputs(o.dir, o.shape)
	case "shards":
		return writeShards(o.dir, o.shape)
	case "read":
		return readShards(e, o.dir, o.shape)
	case "check":
		return check(e, o)
	case "train":
		return timeSteps(e, o)
	case "infer":
		return timeInference(e, o)
	case "triad":
		return triad(e, o.shape)
	}
	return fmt.Errorf("no job %q", o.job)
}

// newRunner makes the model as contestant name computes it.
func newRunner(name string, s model.Spec, opt train.Options) (*train.Runner, engine.Device, error) {
	d, err := host.NewCPU(host.Options{BF16: name == "avcu-bf16", NoAMX: name == withoutAMX})
	if err != nil {
		return nil, nil, err
	}
	opt.Seed = 1
	r, err := train.NewRunner(d, s, opt)
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	return r, d, nil
}

// check prints the loss of the initial weights in evaluation mode, with dropout's factor, and the losses of
// a few training steps without dropout, whose masks no two programs share.
func check(e *json.Encoder, o options) error {
	s, n, err := specOf(o.shape)
	if err != nil {
		return err
	}
	list := batchesOf(s, n)
	loss, err := evaluate(o, s, list[0])
	if err != nil {
		return err
	}
	if err := e.Encode(map[string]float64{"eval": loss}); err != nil {
		return err
	}
	s.DropRate = 0
	return withRunner(o, s, train.Options{Batch: n, Learn: true, TopK: topK}, func(r *train.Runner) error {
		for step := range checkSteps {
			loss, err := r.Step(list[step%batches], int64(step), rate, engine.Tensor{})
			if err != nil {
				return err
			}
			if err := e.Encode(map[string]float64{"loss": loss}); err != nil {
				return err
			}
		}
		return nil
	})
}

func withRunner(o options, s model.Spec, opt train.Options, f func(*train.Runner) error) (err error) {
	r, d, err := newRunner(o.child, s, opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close(), d.Close()) }()
	if err := loadWeights(r, d, weightsFile(o.dir, o.shape)); err != nil {
		return err
	}
	return f(r)
}

// evaluate is the mean loss of a batch in evaluation mode.
func evaluate(o options, s model.Spec, b *train.Batch) (loss float64, err error) {
	m := &lossOnly{}
	err = withRunner(o, s, train.Options{Batch: b.Len(), TopK: topK}, func(r *train.Runner) error {
		return r.Evaluate(&oneBatch{b: b}, m, nil)
	})
	return m.sum / float64(b.Len()), err
}

// lossOnly is a metric that looks at losses alone.
type lossOnly struct{ sum float64 }

func (m *lossOnly) Add(string, []int32, []float32, []int32) error { return nil }
func (m *lossOnly) AddLoss(sum float64) error                     { m.sum += sum; return nil }

// oneBatch is a source of a single batch an epoch.
type oneBatch struct {
	b    *train.Batch
	done bool
}

func (s *oneBatch) Start(int, int64) error { s.done = false; return nil }
func (s *oneBatch) Count() (int64, error)  { return int64(s.b.Len()), nil }
func (s *oneBatch) Next() ([][]byte, []int32, []int32, []string, error) {
	if s.done {
		return nil, nil, nil, nil, io.EOF
	}
	s.done = true
	return s.b.Features, s.b.Offsets, s.b.Labels, s.b.IDs, nil
}

// timed prints the seconds of each step: two that warm up, or a second of them, are left out; then at
// least three, until the given time is spent.
func timed(e *json.Encoder, seconds float64, step func(i int) error) error {
	begin := time.Now()
	warm, spent := 0, 0.0
	for i := 0; ; i++ {
		start := time.Now()
		if err := step(i); err != nil {
			return err
		}
		took := time.Since(start).Seconds()
		if warm < 2 || warm == i && seconds > 0 && time.Since(begin).Seconds() < 1 {
			warm = i + 1
			continue
		}
		if err := e.Encode(map[string]float64{"seconds": took}); err != nil {
			return err
		}
		if spent += took; spent >= seconds && i >= warm+2 {
			return nil
		}
	}
}

// timeSteps times training steps with dropout, up to the loss being known and the weights updated.
func timeSteps(e *json.Encoder, o options) error {
	s, n, err := specOf(o.shape)
	if err != nil {
		return err
	}
	list := batchesOf(s, n)
	return withRunner(o, s, train.Options{Batch: n, Learn: true, TopK: topK}, func(r *train.Runner) error {
		return timed(e, o.seconds, func(i int) error {
			_, err := r.Step(list[i%batches], int64(i), rate, engine.Tensor{})
			return err
		})
	})
}

// timeInference times a batch from features to the highest classes with their probabilities.
func timeInference(e *json.Encoder, o options) error {
	s, n, err := specOf(o.shape)
	if err != nil {
		return err
	}
	list := batchesOf(s, n)
	ranked := func(string, []int32, []float32) error { return nil }
	return withRunner(o, s, train.Options{Batch: n, TopK: topK, Infer: true}, func(r *train.Runner) error {
		return timed(e, o.seconds, func(i int) error {
			return r.Infer(&oneBatch{b: list[i%batches]}, ranked, nil)
		})
	})
}

// triad prints the machine's bandwidth on the working set of a model's parameters with gradients and moments.
func triad(e *json.Encoder, shape string) error {
	s, _, err := specOf(shape)
	if err != nil {
		return err
	}
	bytesPerSecond, err := peak.TriadWithin(0, int64(16*parameters(s)))
	if err != nil {
		return err
	}
	return e.Encode(map[string]float64{"seconds": 28 * float64(parameters(s)) / bytesPerSecond, "bytes": bytesPerSecond})
}

// parameters is the number of a model's parameters.
func parameters(s model.Spec) int {
	sum := 0
	for _, d := range s.Decls() {
		n := 1
		for _, k := range d.Shape {
			n *= k
		}
		sum += n
	}
	return sum
}

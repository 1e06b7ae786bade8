package engine

import "fmt"

// Var is a value in a graph and, where something upstream learns, its gradient.
type Var struct {
	Name  string
	Value Tensor
	Grad  Tensor // zero Tensor where no gradient is wanted

	param   bool
	lent    bool  // memory that is somebody else's: an input's on a Borrower
	fold    uint8 // kind of activation that v is the output of, 0 for none
	folding bool  // the consumer of v multiplies by that activation's derivative
	step    *Step
	stepped bool
	uses    int
	written bool
}

// Param is a value that lives outside any graph and is learnt; without a gradient (the zero Tensor)
// it is constant.
func Param(name string, value, grad Tensor) *Var {
	return &Var{Name: name, Value: value, Grad: grad, param: true}
}

// NeedsGrad reports that a gradient is wanted.
func (v *Var) NeedsGrad() bool { return !v.Grad.IsZero() }

// Step is the state of Adam for one parameter: where a kernel is given one, it hands each finished
// piece of the gradient to the optimiser instead of writing it.
type Step struct {
	M, V                        Tensor  // first and second moment, shaped as the parameter
	Rate, Beta1, Beta2, Epsilon float64 // Rate is bias-corrected: lr·√(1−β2^t)/(1−β1^t)
}

// Sink says what a backward kernel does with the gradient it computes.
type Sink struct {
	Add  bool  // add to what is there; else store
	Step *Step // where not nil: update the parameter, and write no gradient
}

// Sink is where the next writer of v's gradient puts it: the first of a backward pass stores, later
// ones add.
func (v *Var) Sink() Sink {
	s := Sink{Add: v.written}
	v.written = true
	return s
}

// StepSink is Sink for a kernel that can take the optimiser's step itself. It asks for that where v
// is a parameter that was offered a step, has one reader only and nothing accumulated.
func (v *Var) StepSink() Sink {
	if v.step != nil && v.uses == 1 && !v.written {
		v.stepped = true
		return Sink{Step: v.step}
	}
	return v.Sink()
}

// OfferFold says that v is the output of an activation, of a kind that is not 0: a consumer whose
// gradient kernel can multiply by the activation's derivative in the same pass may take that over.
func (v *Var) OfferFold(kind uint8) { v.fold = kind }

// AcceptFold is the consumer's word that it can.
func (v *Var) AcceptFold() { v.folding = v.fold != 0 }

// Folded is the kind of activation by whose derivative the consumer of v multiplies the gradient it
// writes, so that v.Grad holds the gradient before the activation; 0 where that is left to the op that
// made v. It is settled once the graph is recorded: only a single consumer takes it over.
func (v *Var) Folded() uint8 {
	if v.folding && v.uses == 1 {
		return v.fold
	}
	return 0
}

// OfferStep lets the next backward passes update v in place of writing its gradient, where the kernel
// that computes it can; nil withdraws the offer.
func (v *Var) OfferStep(s *Step) { v.step = s }

// Stepped reports that the last backward pass has updated v.
func (v *Var) Stepped() bool { return v.stepped }

// Pass is one run of a tape.
type Pass struct {
	Rows  int    // videos in this run, at most the batch that was recorded
	First int    // index of the first of them in the effective batch
	Batch int    // videos of the effective batch: the loss is their mean
	Seed  uint64 // of the run
	Step  uint32 // counts optimiser steps from 0
	Given Tensor // uint8 dropout mask in place of the drawn one, for comparison with recorded runs

	// Trace, where not nil, is told after every kernel which op it belongs to and what it computed.
	Trace func(op, part string)
	op    string // that runs now
}

// Done tells Trace that the kernels of this part of the running op have been started.
func (p *Pass) Done(part string) {
	if p.Trace != nil {
		p.Trace(p.op, part)
	}
}

// Tape is a graph, recorded once at the largest batch and run any number of times with at most that
// many rows. Forward runs the ops in the order in which they were recorded, Backward strictly the
// other way, so the order of all float sums is fixed.
type Tape struct {
	arena *Arena
	train bool
	ops   []op
	vars  []*Var
}

type op struct {
	name              string
	forward, backward func(*Pass) error
}

// NewTape is an empty graph whose values live in a. A graph that is not for training has no
// gradients.
func NewTape(a *Arena, train bool) *Tape { return &Tape{arena: a, train: train} }

// Training reports that the graph has a backward pass.
func (t *Tape) Training() bool { return t.train }

// Device is where the graph runs.
func (t *Tape) Device() Device { return t.arena.dev }

// Scratch reserves memory that is no value of the graph: what an op saves for its gradient.
func (t *Tape) Scratch(typ DType, dims ...int) Tensor { return t.arena.Tensor(typ, dims...) }

// Input is a value that comes from outside, by Feed, and needs no gradient.
func (t *Tape) Input(name string, typ DType, dims ...int) *Var {
	if _, ok := t.arena.dev.(Borrower); !ok {
		return &Var{Name: name, Value: t.arena.Tensor(typ, dims...)}
	}
	v := &Var{Name: name, Value: layout(typ, 0, dims), lent: true}
	v.Value.mem = &Memory{Device: t.arena.dev}
	return v
}

// Feed gives the input v its first n entries, bytes in row-major order. On a Borrower v is src from then on, which must not
// change while kernels use it, and has no others; elsewhere src is copied.
func Feed(d Device, v *Var, n int, src []byte) error {
	t := v.Value.Prefix(n)
	if !v.lent {
		return Write(d, t, src)
	}
	if t.typ != Uint8 || len(src) != t.Len() {
		return fmt.Errorf("engine: feeding %d bytes to the input %s, %v", len(src), v.Name, t)
	}
	d.(Borrower).Borrow(t.mem, src)
	return nil
}

// Value reserves the float32 result of an op. Its gradient is reserved if the tape trains and any of
// the op's inputs has one.
func (t *Tape) Value(name string, inputs []*Var, dims ...int) *Var {
	v := &Var{Name: name, Value: t.arena.Tensor(Float32, dims...)}
	if t.learns(inputs) {
		v.Grad = t.arena.Tensor(Float32, dims...)
	}
	return v
}

// Rows is Value with rows padded to whole vectors where they are longer than one, as those of
// parameters are: logits of 3,862 classes lie 3,872 apart.
func (t *Tape) Rows(name string, inputs []*Var, dims ...int) *Var {
	const vector = 16
	cols := dims[len(dims)-1]
	if cols <= vector || cols%vector == 0 {
		return t.Value(name, inputs, dims...)
	}
	ld := (cols + vector - 1) / vector * vector
	v := &Var{Name: name, Value: t.arena.Padded(Float32, ld, dims...)}
	if t.learns(inputs) {
		v.Grad = t.arena.Padded(Float32, ld, dims...)
	}
	return v
}

// learns reports that a value made of these has a gradient.
func (t *Tape) learns(inputs []*Var) bool {
	for _, in := range inputs {
		if t.train && in != nil && in.NeedsGrad() {
			return true
		}
	}
	return false
}

// Record appends an op with what it reads. Backward may be nil where nothing upstream learns.
func (t *Tape) Record(name string, inputs []*Var, forward, backward func(*Pass) error) {
	for _, v := range inputs {
		if v != nil && v.NeedsGrad() {
			v.uses++
			t.vars = append(t.vars, v)
		}
	}
	t.ops = append(t.ops, op{name, forward, backward})
}

// Forward runs the graph.
func (t *Tape) Forward(p *Pass) error {
	for i := range t.ops {
		p.op = t.ops[i].name
		if err := t.ops[i].forward(p); err != nil {
			return fmt.Errorf("%s: %w", t.ops[i].name, err)
		}
		p.Done("forward")
	}
	return nil
}

// Backward runs every gradient. With accumulate, those of parameters are added to; otherwise all are
// begun anew.
func (t *Tape) Backward(p *Pass, accumulate bool) error {
	for _, v := range t.vars {
		v.written, v.stepped = accumulate && v.param, false
	}
	for i := len(t.ops) - 1; i >= 0; i-- {
		if t.ops[i].backward == nil {
			continue
		}
		p.op = t.ops[i].name
		if err := t.ops[i].backward(p); err != nil {
			return fmt.Errorf("gradient of %s: %w", t.ops[i].name, err)
		}
		p.Done("gradient")
	}
	return nil
}

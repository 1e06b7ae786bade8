package model

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"avcu/engine"
	"avcu/ops"
)

// Decl declares a parameter.
type Decl struct {
	Name   string
	Shape  []int // as files have it: [C, D, 1, 1] for the weights of a 1×1 convolution
	Matrix []int // as kernels see it: [C, D]
	Init   Initialiser
	Pad    bool // rows may be padded to whole vectors
}

// Param is a declared parameter with its places in the four blocks.
type Param struct {
	Decl
	Value, Grad, M, V engine.Tensor // Grad, M and V only where the model learns

	offset int // of its first element in each block
	step   engine.Step
}

// Params are the parameters of a model on a device. Values, gradients and both moments lie in four
// contiguous blocks, so that they are summed over replicas, measured and updated as one.
type Params struct {
	List []*Param

	dev                 engine.Device
	memory              []*engine.Memory
	values, grads, m, v engine.Tensor // the blocks, [n]
	byName              map[string]*Param
}

// NewParams allocates zeroed parameters; with learn also their gradients and moments.
func NewParams(d engine.Device, decls []Decl, learn bool) (*Params, error) {
	p := &Params{dev: d, byName: map[string]*Param{}}
	const unit = engine.Align / 4
	offsets, lds, n := make([]int, len(decls)), make([]int, len(decls)), 0
	for i, decl := range decls {
		rows, cols := 1, decl.Matrix[len(decl.Matrix)-1]
		for _, k := range decl.Matrix[:len(decl.Matrix)-1] {
			rows *= k
		}
		offsets[i], lds[i] = n, cols
		if decl.Pad && rows > 1 && cols > 16 {
			lds[i] = (cols + 15) / 16 * 16
		}
		n += (rows*lds[i] + unit - 1) / unit * unit
	}
	blocks := []*engine.Tensor{&p.values}
	if learn {
		blocks = append(blocks, &p.grads, &p.m, &p.v)
	}
	for _, b := range blocks {
		mem, err := d.Alloc(int64(n) * 4)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("model: %d million parameters: %w", n/1e6, err), p.Free())
		}
		p.memory = append(p.memory, mem)
		*b = engine.NewTensor(mem, 0, engine.Float32, 0, n)
	}
	for i, decl := range decls {
		q := &Param{Decl: decl, offset: offsets[i]}
		for k, t := range []*engine.Tensor{&q.Value, &q.Grad, &q.M, &q.V} {
			if k < len(p.memory) {
				*t = engine.NewTensor(p.memory[k], int64(offsets[i])*4, engine.Float32, lds[i], decl.Matrix...)
			}
		}
		p.List = append(p.List, q)
		p.byName[decl.Name] = q
	}
	return p, nil
}

// Free returns the memory.
func (p *Params) Free() error {
	var errs []error
	for _, m := range p.memory {
		errs = append(errs, p.dev.Free(m))
	}
	return errors.Join(errs...)
}

// Find is the parameter of this name, or nil.
func (p *Params) Find(name string) *Param { return p.byName[name] }

// Count is the number of parameters, padding not counted.
func (p *Params) Count() int {
	n := 0
	for _, q := range p.List {
		n += q.Value.Len()
	}
	return n
}

// Grads is the block of all gradients, [n].
func (p *Params) Grads() engine.Tensor { return p.grads }

// Initialise draws every parameter. What is drawn for one depends on the seed, its name and its shape
// alone.
func (p *Params) Initialise(seed uint64) error {
	for _, q := range p.List {
		if err := p.InitialiseOne(q, seed); err != nil {
			return err
		}
	}
	return nil
}

// InitialiseOne draws one parameter, as Initialise does.
func (p *Params) InitialiseOne(q *Param, seed uint64) error {
	h := fnv.New64a()
	h.Write([]byte(q.Name))
	r := rand.New(rand.NewPCG(seed, h.Sum64()))
	data := make([]float32, q.Value.Len())
	q.Init(r, data)
	return engine.Write(p.dev, q.Value, data)
}

// Vars are the parameters as values of a graph, by name: every graph has its own. Without learn they
// are constants.
func (p *Params) Vars(learn bool) map[string]*engine.Var {
	vars := map[string]*engine.Var{}
	for _, q := range p.List {
		grad := q.Grad
		if !learn {
			grad = engine.Tensor{}
		}
		vars[q.Name] = engine.Param(q.Name, q.Value, grad)
	}
	return vars
}

// Offer lets the coming backward pass update parameters in place of writing their gradients, where
// their kernels can; Update then does the others.
func (p *Params) Offer(vars map[string]*engine.Var, s engine.Step) {
	for _, q := range p.List {
		q.step = s
		q.step.M, q.step.V = q.M, q.V
		vars[q.Name].OfferStep(&q.step)
	}
}

// Withdraw takes the offer back: every gradient is written.
func (p *Params) Withdraw(vars map[string]*engine.Var) {
	for _, q := range p.List {
		vars[q.Name].OfferStep(nil)
	}
}

// Update makes a step of Adam over what the last backward pass has not updated already. Scale is a
// factor for all gradients on the device, or the zero Tensor.
func (p *Params) Update(vars map[string]*engine.Var, s engine.Step, scale engine.Tensor) error {
	any := false
	for _, q := range p.List {
		any = any || vars[q.Name].Stepped()
	}
	if !any {
		s.M, s.V = p.m, p.v
		return ops.Update(p.dev, p.values, p.grads, &s, scale)
	}
	// What lies between two updated parameters is updated as one.
	for i := 0; i < len(p.List); i++ {
		if vars[p.List[i].Name].Stepped() {
			continue
		}
		j := i
		for j+1 < len(p.List) && !vars[p.List[j+1].Name].Stepped() {
			j++
		}
		if err := p.updateRange(p.List[i], p.List[j], s, scale); err != nil {
			return err
		}
		i = j
	}
	return nil
}

// updateRange updates the parameters from first to last, which lie in this order in every block.
func (p *Params) updateRange(first, last *Param, s engine.Step, scale engine.Tensor) error {
	from := first.offset
	n := last.offset + int(last.Value.Span()) - from
	part := func(k int) engine.Tensor {
		return engine.NewTensor(p.memory[k], int64(from)*4, engine.Float32, 0, n)
	}
	s.M, s.V = part(2), part(3)
	return ops.Update(p.dev, part(0), part(1), &s, scale)
}

package engine_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"avcu/engine"
	"avcu/engine/host"
)

// graph is a tape over scalars whose arithmetic is in the test: multiply and add are the ops.
type graph struct {
	*engine.Tape
	arena *engine.Arena
}

func newGraph(train bool) graph {
	a := engine.NewArena(host.NewRef())
	return graph{engine.NewTape(a, train), a}
}

func (g graph) commit(t *testing.T) {
	t.Helper()
	if err := g.arena.Commit(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.arena.Free() })
}

// param reserves a scalar parameter with its gradient.
func (g graph) param(name string) *engine.Var {
	return engine.Param(name, g.arena.Tensor(engine.Float32, 1), g.arena.Tensor(engine.Float32, 1))
}

func at(x engine.Tensor) *float32 { return &host.Slice[float32](x)[0] }

// put is what a backward kernel does.
func put(v *engine.Var, sink engine.Sink, g float32) {
	switch {
	case sink.Step != nil:
		*at(v.Value) -= g
	case sink.Add:
		*at(v.Grad) += g
	default:
		*at(v.Grad) = g
	}
}

func (g graph) multiply(a, b *engine.Var) *engine.Var {
	y := g.Value("product", []*engine.Var{a, b}, 1)
	g.Record("multiply", []*engine.Var{a, b}, func(*engine.Pass) error {
		*at(y.Value) = *at(a.Value) * *at(b.Value)
		return nil
	}, func(*engine.Pass) error {
		put(a, a.Sink(), *at(y.Grad)**at(b.Value))
		if b.NeedsGrad() {
			put(b, b.StepSink(), *at(y.Grad)**at(a.Value))
		}
		return nil
	})
	return y
}

func (g graph) add(a, b *engine.Var) *engine.Var {
	y := g.Value("sum", []*engine.Var{a, b}, 1)
	g.Record("add", []*engine.Var{a, b}, func(*engine.Pass) error {
		*at(y.Value) = *at(a.Value) + *at(b.Value)
		return nil
	}, func(*engine.Pass) error {
		put(a, a.Sink(), *at(y.Grad))
		put(b, b.Sink(), *at(y.Grad))
		return nil
	})
	return y
}

// loss records the op at which a backward pass begins.
func (g graph) loss(y *engine.Var) {
	g.Record("loss", []*engine.Var{y}, func(*engine.Pass) error { return nil }, func(*engine.Pass) error {
		put(y, y.Sink(), 1)
		return nil
	})
}

func run(t *testing.T, g graph, accumulate bool) {
	t.Helper()
	p := &engine.Pass{Rows: 1}
	if err := g.Forward(p); err != nil {
		t.Fatal(err)
	}
	if err := g.Backward(p, accumulate); err != nil {
		t.Fatal(err)
	}
}

// TestTapeGradient: y = a·b + a, so dy/da = b + 1 from two writers, the first of which stores, and
// dy/db = a.
func TestTapeGradient(t *testing.T) {
	g := newGraph(true)
	a, b := g.param("a"), g.param("b")
	product := g.multiply(a, b)
	y := g.add(product, a)
	g.loss(y)
	g.commit(t)
	for _, x := range []engine.Tensor{a.Grad, b.Grad, product.Grad, y.Grad} {
		*at(x) = 1000 // what is there before the first writer does not count
	}
	*at(a.Value), *at(b.Value) = 3, 5
	for range 2 { // a second pass begins anew
		run(t, g, false)
		if got := [3]float32{*at(y.Value), *at(a.Grad), *at(b.Grad)}; got != [3]float32{18, 6, 3} {
			t.Errorf("y, dy/da, dy/db = %v, want [18 6 3]", got)
		}
	}
	// Accumulating adds to parameters, and begins the gradients of other values anew.
	run(t, g, true)
	if got := [4]float32{*at(a.Grad), *at(b.Grad), *at(product.Grad), *at(y.Grad)}; got != [4]float32{12, 6, 1, 1} {
		t.Errorf("accumulated dy/da, dy/db, and of values = %v, want [12 6 1 1]", got)
	}
}

// TestTapeOrder: forward as recorded, backward the other way, and no gradient of an op that has none.
func TestTapeOrder(t *testing.T) {
	g := newGraph(true)
	var log []string
	say := func(s string) func(*engine.Pass) error {
		return func(p *engine.Pass) error {
			if p.Rows != 7 {
				t.Errorf("pass of %d rows", p.Rows)
			}
			log = append(log, s)
			return nil
		}
	}
	g.Record("one", nil, say("1"), say("-1"))
	g.Record("two", []*engine.Var{nil}, say("2"), nil)
	g.Record("three", nil, say("3"), say("-3"))
	p := &engine.Pass{Rows: 7}
	if err := errors.Join(g.Forward(p), g.Backward(p, false)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1", "2", "3", "-3", "-1"}, log); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestTapeErrors(t *testing.T) {
	broken := errors.New("broken")
	good := func(*engine.Pass) error { return nil }
	bad := func(*engine.Pass) error { return broken }
	g := newGraph(true)
	g.Record("first", nil, bad, good)
	g.Record("second", nil, func(*engine.Pass) error { t.Error("went on"); return nil }, bad)
	p := &engine.Pass{}
	for want, err := range map[string]error{"first: broken": g.Forward(p), "gradient of second: broken": g.Backward(p, false)} {
		if errorText(err) != want || !errors.Is(err, broken) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestTapeReserves: a value has a gradient where the tape trains and an input has one.
func TestTapeReserves(t *testing.T) {
	for _, train := range []bool{true, false} {
		g := newGraph(train)
		learnt := g.param("w")
		constant := engine.Param("k", g.arena.Tensor(engine.Float32, 1), engine.Tensor{})
		input := g.Input("x", engine.Uint8, 2, 3)
		if input.NeedsGrad() || constant.NeedsGrad() || !learnt.NeedsGrad() || input.Value.Type() != engine.Uint8 {
			t.Error("inputs and constants are not learnt")
		}
		if v := g.Value("y", []*engine.Var{input, nil, learnt}, 2, 3); v.NeedsGrad() != train || train && !v.Grad.SameShape(v.Value) {
			t.Errorf("training %v: value %v, gradient %v", train, v.Value, v.Grad)
		}
		if v := g.Value("y", []*engine.Var{input, constant}, 2); v.NeedsGrad() {
			t.Error("a gradient that reaches nothing that learns")
		}
		if g.Training() != train || g.Device() != g.arena.Device() || g.Scratch(engine.Int32, 4).Type() != engine.Int32 {
			t.Error("the tape forgot what it was given")
		}
	}
}

// TestFeed: on a device that computes in the program's memory an input is what it was fed, part of a batch too, and takes
// none of the graph's.
func TestFeed(t *testing.T) {
	g := newGraph(false)
	x := g.Input("x", engine.Uint8, 2, 3)
	if g.arena.Bytes() != 0 {
		t.Errorf("an input took %d bytes", g.arena.Bytes())
	}
	for _, src := range [][]byte{{1, 2, 3}, {1, 2, 3, 4, 5, 6}} {
		n := len(src) / 3
		if err := engine.Feed(g.Device(), x, n, src); err != nil {
			t.Fatal(err)
		}
		if got := host.Slice[uint8](x.Value.Prefix(n)); &got[0] != &src[0] || len(got) != len(src) {
			t.Errorf("fed %v, there is %v", src, got)
		}
		want := "engine: feeding 4 bytes to the input x, " + x.Value.Prefix(n).String()
		if err := engine.Feed(g.Device(), x, n, make([]byte, 4)); errorText(err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestStepSink: a kernel takes the optimiser's step where it is offered, the parameter has one reader,
// and nothing is accumulated.
func TestStepSink(t *testing.T) {
	step := &engine.Step{}
	for _, c := range []struct {
		name              string
		offered, shared   bool
		accumulate, steps bool
	}{
		{"offered", true, false, false, true},
		{"not offered", false, false, false, false},
		{"two readers", true, true, false, false},
		{"accumulating", true, false, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGraph(true)
			x, w := g.param("x"), g.param("w")
			y := g.multiply(x, w)
			if c.shared {
				y = g.multiply(y, w)
			}
			g.loss(y)
			g.commit(t)
			if c.offered {
				w.OfferStep(step)
			}
			for range 2 {
				*at(x.Value), *at(w.Value), *at(w.Grad) = 2, 10, 1000
				run(t, g, c.accumulate)
				if w.Stepped() != c.steps || (*at(w.Value) == 8) != c.steps || (*at(w.Grad) == 1000) != c.steps {
					t.Errorf("stepped %v, weight %v, gradient %v", w.Stepped(), *at(w.Value), *at(w.Grad))
				}
			}
			w.OfferStep(nil)
			*at(w.Value) = 10
			run(t, g, false)
			if w.Stepped() || *at(w.Value) != 10 {
				t.Error("stepped after the offer was withdrawn")
			}
		})
	}
}

// TestFold: a single consumer may take over an activation's derivative.
func TestFold(t *testing.T) {
	for _, c := range []struct {
		name            string
		offer           uint8
		accept          bool
		readers, folded int
	}{
		{"taken over", 2, true, 1, 2}, {"not accepted", 2, false, 1, 0}, {"not offered", 0, true, 1, 0},
		{"two readers", 2, true, 2, 0}, {"no reader", 2, true, 0, 0},
	} {
		g := newGraph(true)
		v := g.Value("h", []*engine.Var{g.param("w")}, 1)
		v.OfferFold(c.offer)
		for range c.readers {
			g.Record("reader", []*engine.Var{v}, nil, nil)
		}
		if c.accept {
			v.AcceptFold()
		}
		if int(v.Folded()) != c.folded {
			t.Errorf("%s: folded %d, want %d", c.name, v.Folded(), c.folded)
		}
	}
}

// TestReplayDoesNotAllocate: once recorded, a graph runs on the memory it has.
func TestReplayDoesNotAllocate(t *testing.T) {
	g := newGraph(true)
	a, b := g.param("a"), g.param("b")
	y := g.multiply(g.add(g.multiply(a, b), a), b)
	g.loss(y)
	g.commit(t)
	*at(a.Value), *at(b.Value) = 3, 5
	p := &engine.Pass{Rows: 1}
	if n := testing.AllocsPerRun(100, func() {
		p.Step++
		if g.Forward(p) != nil || g.Backward(p, p.Step%2 == 0) != nil {
			panic("a pass failed")
		}
	}); n != 0 {
		t.Errorf("%v allocations a pass", n)
	}
}

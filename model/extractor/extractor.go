// Package extractor is the small convolutional network that turns a 28×28 image into the local
// features of Flash-MNIST: it learns to tell the ten digits and pure noise apart, and its last hidden
// layer is the features.
package extractor

import (
	"errors"
	"fmt"

	"avcu/engine"
	"avcu/model"
	"avcu/ops"
)

const (
	side    = 28
	pixels  = side * side
	Width   = 50 // features of an image
	Classes = 11 // ten digits and noise
)

// Size is the shape of the network: two strided convolutions with ReLU, a linear layer to Width
// features with ReLU, and a linear classifier.
type Size struct {
	Window1, Window2     ops.Window
	Channels1, Channels2 int
}

// Small takes 213 thousand multiply-adds an image, Large 1.2 million.
var (
	Small = Size{ops.Window{Height: 5, Width: 5, Stride: 2}, ops.Window{Height: 3, Width: 3, Stride: 2}, 16, 32}
	Large = Size{ops.Window{Height: 5, Width: 5, Stride: 2, Pad: 2}, ops.Window{Height: 3, Width: 3, Stride: 2, Pad: 1}, 32, 64}
)

// Network is the extractor on a device.
type Network struct {
	dev    engine.Device
	params *model.Params
	arena  *engine.Arena
	train  *graph
	eval   *graph
	each   []float32
}

type graph struct {
	tape     *engine.Tape
	vars     map[string]*engine.Var
	images   *engine.Var // uint8 [B, 784]
	features *engine.Var // [B, Width]
	labels   ops.Labels
	each     engine.Tensor
	top      engine.Tensor // int32 [B, 1]
}

// New makes a network with drawn weights that trains on batches of so many images and extracts from
// others.
func New(d engine.Device, s Size, trainBatch, evalBatch int, seed uint64) (*Network, error) {
	h1 := s.Window1.Out(side, s.Window1.Height)
	h2 := s.Window2.Out(h1, s.Window2.Height)
	flat := h2 * h2 * s.Channels2
	var decls []model.Decl
	layer := func(name string, in, out int) {
		decls = append(decls,
			model.Decl{Name: name + ".weights", Shape: []int{in, out}, Matrix: []int{in, out}, Init: model.MSRANormal(in)},
			model.Decl{Name: name + ".bias", Shape: []int{out}, Matrix: []int{out}, Init: model.Normal(0)})
	}
	layer("conv1", s.Window1.Height*s.Window1.Width, s.Channels1)
	layer("conv2", s.Window2.Height*s.Window2.Width*s.Channels1, s.Channels2)
	layer("features", flat, Width)
	layer("classes", Width, Classes)
	params, err := model.NewParams(d, decls, true)
	if err != nil {
		return nil, err
	}
	n := &Network{dev: d, params: params, arena: engine.NewArena(d), each: make([]float32, trainBatch)}
	n.train = n.build(s, trainBatch, true)
	n.arena.Release(0)
	n.eval = n.build(s, evalBatch, false)
	if err := errors.Join(n.arena.Commit(), params.Initialise(seed)); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Network) build(s Size, batch int, learn bool) *graph {
	t := engine.NewTape(n.arena, learn)
	v := n.params.Vars(learn)
	g := &graph{tape: t, vars: v, images: t.Input("images", engine.Uint8, batch, pixels)}
	x := ops.Reshape(ops.Dequantise(t, "pixels", g.images, 0, 1), batch, side, side, 1)
	x = ops.Convolve(t, "conv1", x, s.Window1, v["conv1.weights"], v["conv1.bias"], ops.ReLU)
	x = ops.Convolve(t, "conv2", x, s.Window2, v["conv2.weights"], v["conv2.bias"], ops.ReLU)
	g.features = ops.Linear(t, "features", ops.Reshape(x, batch, x.Value.Len()/batch), ops.Dense{Weights: v["features.weights"], Bias: v["features.bias"], Act: ops.ReLU})
	logits := ops.Linear(t, "classes", g.features, ops.Dense{Weights: v["classes.weights"], Bias: v["classes.bias"]})
	if learn {
		g.labels = ops.Labels{Offsets: t.Scratch(engine.Int32, batch+1), Classes: t.Scratch(engine.Int32, batch)}
		g.each = ops.CrossEntropy(t, ops.Softmax, logits, g.labels)
	} else {
		_, g.top = ops.TopK(t, logits, 1)
	}
	return g
}

// Close returns the memory.
func (n *Network) Close() error { return errors.Join(n.arena.Free(), n.params.Free()) }

// Step trains on images [n, 784] with labels [n], and returns the mean loss before the update. Step
// counts from 0.
func (n *Network) Step(images []uint8, labels []int32, step int, rate float64) (float64, error) {
	rows := len(labels)
	offsets := make([]int32, rows+1)
	for i := range offsets {
		offsets[i] = int32(i)
	}
	g := n.train
	if err := errors.Join(
		engine.Feed(n.dev, g.images, rows, images),
		engine.Write(n.dev, g.labels.Offsets.Prefix(rows+1), offsets),
		engine.Write(n.dev, g.labels.Classes.Prefix(rows), labels)); err != nil {
		return 0, err
	}
	p := engine.Pass{Rows: rows, Batch: rows}
	if err := g.tape.Forward(&p); err != nil {
		return 0, err
	}
	if err := g.tape.Backward(&p, false); err != nil {
		return 0, err
	}
	s := engine.Step{Rate: ops.Rate(rate, 0.9, 0.999, step+1), Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	if err := n.params.Update(g.vars, s, engine.Tensor{}); err != nil {
		return 0, err
	}
	each := n.each[:rows]
	if err := engine.Read(n.dev, each, g.each.Prefix(rows)); err != nil {
		return 0, err
	}
	sum := 0.0
	for _, l := range each {
		sum += float64(l)
	}
	return sum / float64(rows), nil
}

// Features computes the features [n, Width] of images [n, 784].
func (n *Network) Features(images []uint8, count int, features []float32) error {
	return n.run(images, count, func(first, rows int) error {
		return engine.Read(n.dev, features[first*Width:(first+rows)*Width], n.eval.features.Value.Prefix(rows))
	})
}

// Classify says which class each of images [n, 784] is of.
func (n *Network) Classify(images []uint8, count int, classes []int32) error {
	return n.run(images, count, func(first, rows int) error {
		return engine.Read(n.dev, classes[first:first+rows], n.eval.top.Prefix(rows))
	})
}

// run evaluates images in batches, and calls f after each.
func (n *Network) run(images []uint8, count int, f func(first, rows int) error) error {
	if len(images) != count*pixels {
		return fmt.Errorf("extractor: %d bytes for %d images of %d pixels", len(images), count, pixels)
	}
	batch := n.eval.images.Value.Dim(0)
	for first := 0; first < count; first += batch {
		rows := min(batch, count-first)
		if err := engine.Feed(n.dev, n.eval.images, rows, images[first*pixels:(first+rows)*pixels]); err != nil {
			return err
		}
		p := engine.Pass{Rows: rows, Batch: rows}
		if err := n.eval.tape.Forward(&p); err != nil {
			return err
		}
		if err := f(first, rows); err != nil {
			return err
		}
	}
	return nil
}

package bench

import (
	"testing"

	"avcu/engine"
	"avcu/engine/host"
	"avcu/model"
	"avcu/model/train"
)

const batch = 256 // videos of a step

// BenchmarkStep is whole training steps, from a batch in Go's memory to updated parameters, and whole batches of inference,
// to each video's highest classes. The reference device would take minutes.
func BenchmarkStep(b *testing.B) {
	devices := devicesBF16(b)
	for _, name := range []string{"published", "flash-mnist"} {
		spec, err := Shape(name)
		if err != nil {
			b.Fatal(err)
		}
		for _, learn := range []bool{true, false} {
			kind := map[bool]string{true: "train", false: "infer"}[learn]
			for _, d := range devices {
				if _, ref := d.Device.(*host.Ref); ref {
					continue
				}
				b.Run(name+"/"+kind+"/device="+d.name, func(b *testing.B) { step(b, d, spec, learn) })
			}
		}
	}
}

func step(b *testing.B, d device, s model.Spec, learn bool) {
	r, err := train.NewRunner(d.Device, s, train.Options{Batch: batch, Learn: learn, TopK: 20, Infer: !learn})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if err := r.Params.Initialise(1); err != nil {
		b.Fatal(err)
	}
	videos, count := Batch(s, batch, 1), int64(0)
	work := func() error { return r.Forward(videos) }
	if learn {
		work = func() error {
			_, err := r.Step(videos, count, 1e-3, engine.Tensor{})
			count++
			return err
		}
	}
	flop, bytes := stepWork(s, r.Params.Count(), learn)
	b.ReportMetric(batch/d.measure(b, flop, bytes, work), "videos/s")
}

// stepWork is the operations of the matrix products and of attention in one pass over a batch: a training step has three
// products where the forward pass has one, and one less for features, which have no gradient. The bytes are those of the
// features once, and of every parameter: read, or in training read and written with both its moments.
func stepWork(s model.Spec, parameters int, learn bool) (flop, bytes float64) {
	attention, products, in := 0, 0, s.Width()
	for _, m := range s.Modalities {
		attention += batch * s.Frames * m.Dim * m.Units
		bytes += float64(batch * s.Frames * m.Dim)
	}
	for _, out := range append(s.Hidden[:len(s.Hidden):len(s.Hidden)], s.Classes) {
		products += batch * in * out
		in = out
	}
	if learn {
		return 2 * float64(4*attention+3*products), bytes + 24*float64(parameters)
	}
	return 2 * float64(2*attention+products), bytes + 4*float64(parameters)
}

package bench

import (
	"fmt"
	"math/rand/v2"

	"avcu/io/largepages"
	"avcu/model"
	"avcu/model/train"
	"avcu/ops"
)

// Shape is the model that a measurement runs: "published", the setting of the 2nd YouTube-8M release, or
// "flash-mnist", the paper's experiment with 32 units.
func Shape(name string) (model.Spec, error) {
	switch name {
	case "published":
		return model.Spec{
			Modalities: []model.Modality{{Name: "rgb", Dim: 1024, Units: 32}, {Name: "audio", Dim: 128, Units: 32}},
			Frames:     100, Hidden: []int{1024, 4096}, Classes: 3862, Loss: ops.Sigmoid, DropRate: 0.5,
		}, nil
	case "flash-mnist":
		return model.Spec{
			Modalities: []model.Modality{{Name: "rgb", Dim: 50, Units: 32}},
			Frames:     25, Classes: 1024, Loss: ops.Softmax, DropRate: 0.5,
		}, nil
	}
	return model.Spec{}, fmt.Errorf("bench: no shape %q: published and flash-mnist are known", name)
}

// Batch draws n videos for a model: uniform features, and three labels a video, or one where classes
// exclude each other.
func Batch(s model.Spec, n int, seed uint64) *train.Batch {
	r := rand.New(rand.NewPCG(seed, 1))
	b := &train.Batch{Offsets: []int32{0}}
	for _, m := range s.Modalities {
		q := largepages.Make(n * s.Frames * m.Dim)
		for i := range q {
			q[i] = byte(r.Uint32())
		}
		b.Features = append(b.Features, q)
	}
	for v := range n {
		b.IDs = append(b.IDs, fmt.Sprintf("%04d", v))
		first := int32(r.IntN(s.Classes - 2))
		b.Labels = append(b.Labels, first)
		if s.Loss == ops.Sigmoid {
			b.Labels = append(b.Labels, first+1, first+2)
		}
		b.Offsets = append(b.Offsets, int32(len(b.Labels)))
	}
	return b
}

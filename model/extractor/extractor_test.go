package extractor

import (
	"math"
	"math/rand/v2"
	"testing"

	"avcu/engine"
	"avcu/engine/host"
)

// bars draws images whose class is the place of a bright bar, over noise.
func bars(n int, seed uint64) (images []uint8, labels []int32) {
	r := rand.New(rand.NewPCG(seed, 2))
	images, labels = make([]uint8, n*pixels), make([]int32, n)
	for i := range n {
		labels[i] = int32(r.IntN(Classes))
		for k := range pixels {
			images[i*pixels+k] = uint8(r.IntN(100))
			if k/side/2 == int(labels[i]) {
				images[i*pixels+k] = 220
			}
		}
	}
	return images, labels
}

func TestLearnsAndAgrees(t *testing.T) {
	cpu, err := host.NewCPU(host.Options{})
	if err != nil {
		t.Skip(err)
	}
	defer cpu.Close()
	features := map[engine.Device][]float32{}
	const unseen = 50
	for _, d := range []engine.Device{cpu, host.NewRef()} {
		n, err := New(d, Size{Small.Window1, Small.Window2, 4, 6}, 32, 20, 5)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		steps := 60
		if d.Name() == "ref" {
			steps = 4 // slow: only to compare with
		}
		var first, last float64
		for step := range steps {
			images, labels := bars(32, uint64(step))
			if last, err = n.Step(images, labels, step, 3e-3); err != nil {
				t.Fatal(err)
			}
			if step == 0 {
				first = last
			}
			if step == 3 {
				images, _ := bars(unseen, 999)
				features[d] = make([]float32, unseen*Width)
				if err := n.Features(images, unseen, features[d]); err != nil {
					t.Fatal(err)
				}
			}
		}
		if steps == 60 {
			images, labels := bars(unseen, 1000)
			got, right := make([]int32, unseen), 0
			if err := n.Classify(images, unseen, got); err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if got[i] == labels[i] {
					right++
				}
			}
			if right < unseen*9/10 || last > first/4 {
				t.Errorf("loss from %v to %v, %d of %d right", first, last, right, unseen)
			}
		}
	}
	var list [][]float32
	for _, f := range features {
		list = append(list, f)
	}
	for i := range list[0] {
		// Float32 against float64 sums, after four steps of Adam.
		if math.Abs(float64(list[0][i]-list[1][i])) > 1e-4 {
			t.Fatalf("feature %d: %v and %v", i, list[0][i], list[1][i])
		}
	}
}

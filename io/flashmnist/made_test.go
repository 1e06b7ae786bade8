package flashmnist

import (
	"math"
	"math/rand/v2"
	"testing"

	"avcu/io/mnist"
)

// madeSet is n images of made-up digits: image i shows digit i mod 10 and has a pattern of its own, on a background of
// which most is 0 as in MNIST.
func madeSet(n int, seed uint64) *mnist.Set {
	r := rand.New(rand.NewPCG(seed, 1))
	set := &mnist.Set{Images: make([]uint8, n*Pixels), Labels: make([]uint8, n)}
	for i := range n {
		set.Labels[i] = uint8(i % Digits)
		image := set.Image(i)
		for p := range image {
			if r.IntN(5) == 0 {
				image[p] = uint8(r.IntN(256))
			}
		}
	}
	return set
}

// madeSource has 60 training digits and 30 test digits.
func madeSource(t testing.TB, seed uint64) *Source {
	t.Helper()
	s, err := NewSource(madeSet(60, 1), madeSet(30, 2), seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// madeExtract has feature d = |sum of the pixels p ≡ d mod width, of alternating sign| / 100: 0 or more, all of an image.
func madeExtract(width int) Extract {
	return func(images []uint8, n int, features []float32) error {
		for i := range n {
			sums := make([]float64, width)
			for p, value := range images[i*Pixels : (i+1)*Pixels] {
				sums[p%width] += float64(value) * float64(1-2*(p/width%2))
			}
			for d, sum := range sums {
				features[i*width+d] = float32(math.Abs(sum) / 100)
			}
		}
		return nil
	}
}

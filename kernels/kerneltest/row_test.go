package kerneltest

import (
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"avcu/engine"
)

func TestWithin(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		tol       Tolerance
		got, want float64
		ok        bool
	}{
		{Tolerance{}, 1, 1, true},
		{Tolerance{}, 1, 1 + 1e-15, false},
		{Tolerance{Abs: 0.5}, 1.5, 1, true},
		{Tolerance{Abs: 0.5}, 1.5000001, 1, false},
		{Tolerance{Rel: 0.25}, -10, -8, true},
		{Tolerance{Rel: 0.25}, -10.1, -8, false},
		{Tolerance{Abs: 1, Rel: 0.25}, 11, 8, true},
		{Tolerance{Abs: 1, Rel: 1}, nan, nan, true},
		{Tolerance{Abs: inf, Rel: 1}, nan, 1, false},
		{Tolerance{Abs: inf, Rel: 1}, 1, nan, false},
		{Tolerance{Abs: 1, Rel: 1}, inf, inf, true},
		{Tolerance{Abs: 1, Rel: 1}, -inf, inf, false},
		{Tolerance{Abs: 1, Rel: 1}, 1e30, inf, false},
		{Tolerance{Abs: 1, Rel: 1}, nan, inf, false},
		{Tolerance{Abs: 1, Rel: 1}, inf, 1e30, false},
	} {
		if got := c.tol.Within(c.got, c.want); got != c.ok {
			t.Errorf("%v within %+v of %v: %v", c.got, c.tol, c.want, got)
		}
	}
}

// TestCover: every pair of values of two lists is in some combination, with far fewer of them than the
// full product, which long gives.
func TestCover(t *testing.T) {
	for _, lists := range [][][]int{
		{{1, 2, 3}},
		{{1, 2, 3}, {4, 5}},
		{{0, 1, 31, 32, 33}, {0, 1, 2, 3}, {7, 8, 9}, {0, 1}},
		{{1, 1, 2}, {3, 4}, {5, 6}}, // a value twice
		{{1, 2}, {}, {3}},
	} {
		product := 1
		for _, l := range lists {
			product *= len(l)
		}
		cover, all := Cover(false, lists...), Cover(true, lists...)
		if len(all) != product {
			t.Errorf("%v: %d combinations in the full product", lists, len(all))
		}
		have := map[string]bool{}
		for _, c := range cover {
			if len(c) != len(lists) {
				t.Fatalf("%v: combination %v", lists, c)
			}
			for i := range c {
				for j := range i {
					have[fmt.Sprint(j, c[j], i, c[i])] = true
				}
			}
		}
		for i := range lists {
			for j := range i {
				for _, a := range lists[j] {
					for _, b := range lists[i] {
						if product > 0 && !have[fmt.Sprint(j, a, i, b)] {
							t.Errorf("%v: no combination has %d and %d", lists, a, b)
						}
					}
				}
			}
		}
		if len(lists) == 4 && len(cover) > 30 { // 20 at least, for the first two lists
			t.Errorf("%v: %d of %d combinations are no pairwise cover", lists, len(cover), product)
		}
		if !cmp.Equal(cover, Cover(false, lists...)) {
			t.Errorf("%v: another cover the second time", lists)
		}
	}
}

func TestData(t *testing.T) {
	if !cmp.Equal(Normal(Rand(1), 100, 2), Normal(Rand(1), 100, 2)) || cmp.Equal(Normal(Rand(1), 100, 2), Normal(Rand(2), 100, 2)) {
		t.Error("data do not depend on the seed alone")
	}
	var sum, squares float64
	for _, v := range Normal(Rand(3), 10000, 2) {
		sum, squares = sum+float64(v), squares+float64(v)*float64(v)
	}
	// The mean's standard deviation is 2/√10000 = 0.02, the variance's 4·√(2/10000) = 0.057.
	if mean, variance := sum/10000, squares/10000; math.Abs(mean) > 0.08 || math.Abs(variance-4) > 0.23 {
		t.Errorf("mean %v, variance %v, want 0 and 4", mean, variance)
	}
	seen := map[uint8]bool{}
	for _, b := range Bytes(Rand(4), 10000) {
		seen[b] = true
	}
	if len(seen) != 256 {
		t.Errorf("%d different bytes", len(seen))
	}
	for _, c := range []struct {
		typ  engine.DType
		data any
		want []float64
	}{
		{engine.Float32, []float32{1.5, -2}, []float64{1.5, -2}},
		{engine.Int32, []int32{-1, 1 << 30}, []float64{-1, 1 << 30}},
		{engine.Uint8, []uint8{0, 255}, []float64{0, 255}},
	} {
		if diff := cmp.Diff(c.want, Floats(c.typ, encode(c.data))); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.typ, diff)
		}
	}
}

// TestGradient: x² has the gradient 2x; a child process says 2.001x, and one names an input that there
// is not.
func TestGradient(t *testing.T) {
	mistake := os.Getenv(spoiled)
	x := []float64{1, -2, 30, 0.5}
	g := make([]float64, len(x))
	for i := range x {
		g[i] = 2 * x[i]
		if mistake == "slope" && i == 3 {
			g[i] *= 1.001
		}
	}
	grads := map[string][]float64{"x": g}
	if mistake == "name" {
		grads = map[string][]float64{"gx": g}
	}
	Gradient(t, map[string][]float64{"x": x, "constant": {1}}, grads, func() (loss float64) {
		for _, v := range x {
			loss += v * v
		}
		return loss
	})
	if !cmp.Equal(x, []float64{1, -2, 30, 0.5}) {
		t.Errorf("the inputs are now %v", x)
	}
	if mistake == "" {
		failsSaying(t, "TestGradient", "slope", "d loss / d x[3]")
		failsSaying(t, "TestGradient", "name", "a gradient by gx, which is no input")
	}
}

package flashmnist

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNoiseTable: shares of a draw are those of the histogram to within one entry of 65,536, what largest remainders give.
func TestNoiseTable(t *testing.T) {
	for _, row := range []struct {
		name   string
		pixels []uint8
	}{
		{"like MNIST", madeSet(60, 3).Images},
		{"one value", []uint8{7, 7, 7}},
		{"thirds", []uint8{0, 128, 255}},
		{"one of each", func() []uint8 {
			all := make([]uint8, 256)
			for i := range all {
				all[i] = uint8(i)
			}
			return all
		}()},
	} {
		t.Run(row.name, func(t *testing.T) {
			noise, err := NewNoise(row.pixels)
			if err != nil {
				t.Fatal(err)
			}
			var want, got [256]float64
			for _, p := range row.pixels {
				want[p] += draws / float64(len(row.pixels))
			}
			for _, p := range noise.table {
				got[p]++
			}
			for value := range want {
				if math.Abs(got[value]-want[value]) >= 1 || want[value] == 0 && got[value] > 0 {
					t.Errorf("value %d has %g entries, want %g", value, got[value], want[value])
				}
			}
		})
	}
	if _, err := NewNoise(nil); err == nil {
		t.Error("no error without pixels")
	}
}

// TestNoiseFill: drawn pixels follow the table, each place of a word as well as all together.
func TestNoiseFill(t *testing.T) {
	noise, err := NewNoise(madeSet(60, 3).Images)
	if err != nil {
		t.Fatal(err)
	}
	var share [256]float64
	for _, p := range noise.table {
		share[p] += 1.0 / draws
	}
	pixels := make([]uint8, 4<<20)
	noise.Fill(pixels, rand.NewPCG(1, 2))
	for lane := range 4 {
		var count [256]float64
		for i := lane; i < len(pixels); i += 4 {
			count[pixels[i]]++
		}
		if square, freedom := chiSquare(count[:], share[:]); square > chiSquareBound(freedom) {
			t.Errorf("lane %d: chi-square %.1f with %d degrees of freedom, want at most %.1f", lane, square, freedom, chiSquareBound(freedom))
		}
	}

	// Independent: the pairs (zero or not) of neighbours, and of the same pixel in the next word, are what shares say.
	for _, distance := range []int{1, 2, 3, 4} {
		var pairs [4]float64
		for i := 0; i+distance < len(pixels); i += 2 * distance {
			for k := i; k < min(i+distance, len(pixels)-distance); k++ {
				pairs[2*min(pixels[k], 1)+min(pixels[k+distance], 1)]++
			}
		}
		zero := share[0]
		square, freedom := chiSquare(pairs[:], []float64{zero * zero, zero * (1 - zero), (1 - zero) * zero, (1 - zero) * (1 - zero)})
		if square > chiSquareBound(freedom) {
			t.Errorf("distance %d: chi-square %.1f with %d degrees of freedom, want at most %.1f", distance, square, freedom, chiSquareBound(freedom))
		}
	}

	// A rest shorter than a word is drawn like the beginning of a word, and nothing behind it is touched.
	noise, err = NewNoise([]uint8{30, 60, 90, 120, 150, 180, 210, 240})
	if err != nil {
		t.Fatal(err)
	}
	whole := make([]uint8, 12)
	noise.Fill(whole, rand.NewPCG(3, 4))
	for n := range whole {
		room := make([]uint8, len(whole))
		noise.Fill(room[:n], rand.NewPCG(3, 4))
		want := append(slices.Clone(whole[:n]), make([]uint8, len(whole)-n)...)
		if diff := cmp.Diff(want, room); diff != "" {
			t.Errorf("%d pixels differ from the first of %d:\n%s", n, len(whole), diff)
		}
	}
}

// TestShuffle: all 24 orders of four things are equally likely.
func TestShuffle(t *testing.T) {
	r := rand.NewPCG(5, 6)
	count, seen := make([]float64, 24), map[[4]int]int{}
	for range 24000 {
		order := [4]int{0, 1, 2, 3}
		shuffle(r, order[:])
		if _, ok := seen[order]; !ok {
			seen[order] = len(seen)
		}
		count[seen[order]]++
	}
	if square, freedom := chiSquare(count, slices.Repeat([]float64{1.0 / 24}, 24)); square > chiSquareBound(freedom) {
		t.Errorf("orders come %v times: chi-square %.1f, want at most %.1f", count, square, chiSquareBound(freedom))
	}
}

// chiSquare compares counts with the shares expected of them.
func chiSquare(count, share []float64) (square float64, freedom int) {
	var total float64
	for _, c := range count {
		total += c
	}
	freedom = -1
	for i, c := range count {
		if share[i] > 0 {
			square += (c - total*share[i]) * (c - total*share[i]) / (total * share[i])
			freedom++
		} else if c > 0 {
			square = math.Inf(1)
		}
	}
	return square, freedom
}

// chiSquareBound is exceeded by chance once in a million: chi-square's mean is its degrees of freedom f, its variance 2f,
// and 4.75 is that quantile of the normal, put through Wilson and Hilferty's cube.
func chiSquareBound(freedom int) float64 {
	f := float64(freedom)
	root := 1 - 2/(9*f) + 4.75*math.Sqrt(2/(9*f))
	return f * root * root * root
}

func BenchmarkNoise(b *testing.B) {
	noise, err := NewNoise(madeSet(60, 3).Images)
	if err != nil {
		b.Fatal(err)
	}
	pixels, r := make([]uint8, Frames*Pixels), rand.NewPCG(1, 2)
	b.SetBytes(int64(len(pixels)))
	for b.Loop() {
		noise.Fill(pixels, r)
	}
}

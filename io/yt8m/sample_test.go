package yt8m

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sbinet/npyio/npz"
)

func read[T any](t *testing.T, file, array string) []T {
	t.Helper()
	var values []T
	f, err := os.Open("testdata/sampling/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := npz.Read(f, array+".npy", &values); err != nil {
		t.Fatalf("%s: %s: %v", file, array, err)
	}
	return values
}

func TestMidpointGolden(t *testing.T) {
	frames := read[int32](t, "half.npz", "n")
	for _, length := range []int{1, 25, 100} {
		want := read[int32](t, "half.npz", fmt.Sprintf("L%d", length))
		if len(want) != len(frames)*length {
			t.Fatalf("L = %d: %d indices", length, len(want))
		}
		got := make([]int32, length)
		for j, n := range frames {
			Sampler{}.Fill(got, int(n), 3, []byte("any"))
			if diff := cmp.Diff(want[j*length:(j+1)*length], got); diff != "" {
				t.Errorf("n = %d, L = %d (-want +got):\n%s", n, length, diff)
			}
		}
	}
}

func TestDrawnGolden(t *testing.T) {
	manifest, err := os.ReadFile("testdata/sampling/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Cases []struct {
			Name   string
			Params struct{ Cases [][2]int }
		}
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, c := range m.Cases {
		if c.Name != "given_draws" {
			continue
		}
		for k, p := range c.Params.Cases {
			seen++
			draws := read[float64](t, "given_draws.npz", fmt.Sprintf("case%d_r", k))
			want := read[int32](t, "given_draws.npz", fmt.Sprintf("case%d_idx", k))
			var got []int32
			for i, r := range draws {
				draw := r * (1 << drawBits)
				if draw != math.Trunc(draw) {
					t.Fatalf("r = %v is no multiple of 2^-%d", r, drawBits)
				}
				got = append(got, drawn(i, p[1], p[0], uint64(draw)))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("n = %d, L = %d (-want +got):\n%s", p[0], p[1], diff)
			}
		}
	}
	if seen != 40 {
		t.Errorf("%d cases", seen)
	}
}

// TestDrawnExact holds the integers to big fractions at the limits.
func TestDrawnExact(t *testing.T) {
	const last = 1<<drawBits - 1
	for _, n := range []int{1, 2, 300, 301, maxSampled - 1, maxSampled} {
		for _, length := range []int{1, 3, 100, maxSampled - 1, maxSampled} {
			for _, i := range []int{0, length / 2, length - 1} {
				for _, draw := range []uint64{0, 1, last / 2, last} {
					r := big.NewRat(int64(draw), 1<<drawBits)
					x := new(big.Rat).Add(big.NewRat(int64(i), 1), r)
					x.Mul(x, big.NewRat(int64(n), int64(length)))
					want := new(big.Int).Quo(x.Num(), x.Denom()).Int64()
					if got := drawn(i, length, n, draw); int64(got) != want || want >= int64(n) {
						t.Errorf("n = %d, L = %d, i = %d, draw %d: frame %d, want %d", n, length, i, draw, got, want)
					}
				}
				x := big.NewRat(int64(2*i+1)*int64(n), int64(2*length))
				want := new(big.Int).Quo(x.Num(), x.Denom()).Int64()
				if got := midpoint(i, length, n); int64(got) != want {
					t.Errorf("n = %d, L = %d, i = %d: middle frame %d, want %d", n, length, i, got, want)
				}
			}
		}
	}
}

// TestDraws checks what random sampling depends on, and that it draws evenly.
func TestDraws(t *testing.T) {
	const n, length = 300, 100
	at := func(seed uint64, epoch int, id string) []int32 {
		index := make([]int32, length)
		Sampler{Random: true, Seed: seed}.Fill(index, n, epoch, []byte(id))
		return index
	}
	base := at(1, 0, "abcd")
	if diff := cmp.Diff(base, at(1, 0, "abcd")); diff != "" {
		t.Errorf("drawn again:\n%s", diff)
	}
	// The generator is part of what a resumed run relies on: these numbers must not change.
	if diff := cmp.Diff([]int32{1, 4, 6, 11, 13, 17, 20, 23}, base[:8]); diff != "" {
		t.Errorf("the draws have changed (-want +got):\n%s", diff)
	}
	for name, other := range map[string][]int32{"seed": at(2, 0, "abcd"), "epoch": at(1, 1, "abcd"), "id": at(1, 0, "abce")} {
		same := 0
		for i := range base {
			if base[i] == other[i] {
				same++
			}
		}
		// Each stretch has three frames: a third agrees by chance, 33 ± 4.7; 53 is more than four deviations away.
		if same > 53 {
			t.Errorf("another %s draws %d of %d frames the same", name, same, length)
		}
	}
	counts := make([]int, n)
	const videos = 3000
	for k := range videos {
		for i, frame := range at(7, 0, fmt.Sprintf("%04d", k)) {
			if int(frame)/3 != i {
				t.Fatalf("frame %d stands for stretch %d", frame, i)
			}
			counts[frame]++
		}
	}
	for frame, got := range counts {
		// Binomial with mean 1000 and deviation 25.8: 130 is five deviations, met once in two million by chance.
		if got < videos/3-130 || got > videos/3+130 {
			t.Errorf("frame %d is drawn %d times, expected %d", frame, got, videos/3)
		}
	}
	index := make([]int32, length)
	sampler, id := Sampler{Random: true}, []byte("abcd")
	if got := testing.AllocsPerRun(10, func() { sampler.Fill(index, n, 1, id) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

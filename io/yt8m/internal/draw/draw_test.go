package draw

import (
	"hash/fnv"
	"math/rand/v2"
	"testing"
)

func TestMix(t *testing.T) {
	// The generator SplitMix64 started at 1234567: its first outputs, as Rosetta Code lists them.
	const step = 0x9e3779b97f4a7c15
	x := uint64(1234567)
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423} {
		if got := Mix(x); got != want {
			t.Errorf("output %d is %d, want %d", i, got, want)
		}
		x += step
	}
}

func TestHash(t *testing.T) {
	for _, s := range []string{"", "a", "yONV", "a longer id \x00\xff"} {
		h := fnv.New64a()
		h.Write([]byte(s))
		if got := Hash(s); got != h.Sum64() || Hash([]byte(s)) != got {
			t.Errorf("%q: %x, want %x", s, got, h.Sum64())
		}
	}
}

func TestKey(t *testing.T) {
	seen := map[uint64]bool{}
	for a := range uint64(30) {
		for b := range uint64(30) {
			seen[Key(a, b)] = true
		}
	}
	if len(seen) != 900 || Key(1, 2) == Key(2, 1) {
		t.Errorf("%d keys of 900 pairs", len(seen))
	}
}

func TestBelow(t *testing.T) {
	from := rand.NewPCG(1, 2)
	var counts [7]int
	for range 70_000 {
		counts[Below(from, 7)]++
	}
	for k, got := range counts {
		if got < 9_500 || got > 10_500 { // mean 10,000, deviation 93
			t.Errorf("%d is drawn %d times", k, got)
		}
	}
}

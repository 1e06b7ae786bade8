package floats

import (
	"math"
	"testing"
)

func TestHalf(t *testing.T) {
	// Every finite half is fraction·2^exponent in exact arithmetic.
	for h := range 1 << 16 {
		exponent, fraction := h>>10&31, float64(h&1023)
		want := math.Ldexp(1024+fraction, exponent-25)
		switch {
		case exponent == 31 && fraction == 0:
			want = math.Inf(1)
		case exponent == 31:
			want = math.NaN()
		case exponent == 0:
			want = math.Ldexp(fraction, -24)
		}
		if h>>15 == 1 {
			want = -want
		}
		got := Half(uint16(h))
		if math.IsNaN(want) != (got != got) || !math.IsNaN(want) && math.Float32bits(got) != math.Float32bits(float32(want)) {
			t.Errorf("half %04x = %v, want %v", h, got, want)
		}
	}
}

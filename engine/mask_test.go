package engine

import (
	"math"
	"strings"
	"testing"
)

func TestMaskFactor(t *testing.T) {
	m := Mask{Rate: 0.25, Train: true, Seed: 1<<40 + 3, Step: 5, Layer: 1, First: 7, Column: 9}
	kept := 0
	for r := range 40 {
		for c := range 100 {
			want := 0.0
			if Draw(m.Seed, 5, 1, uint32(7+r), uint32(9+c)) >= 1<<30 {
				want = 1
				kept++
			}
			if got := m.Factor(r, c); got != want {
				t.Fatalf("row %d, column %d: %v, want %v", r, c, got, want)
			}
		}
	}
	// 4,000 draws keep 3,000 on average, with standard deviation √(4000·¼·¾) = 27.4.
	if kept < 3000-4*28 || kept > 3000+4*28 {
		t.Errorf("%d of 4000 elements kept at rate ¼", kept)
	}
	m.Train = false
	if got := m.Factor(0, 0); got != 0.75 {
		t.Errorf("in evaluation %v, want 1−Rate", got)
	}
	m.Train, m.Rate = true, 0
	for c := range 100 {
		if m.Factor(0, c) != 1 {
			t.Fatal("rate 0 has dropped an element")
		}
	}
}

func TestMaskCheck(t *testing.T) {
	given := NewTensor(&Memory{Bytes: 64}, 0, Uint8, 8, 3, 5)
	for _, c := range []struct {
		m    Mask
		want string // of the error; empty: none
	}{
		{Mask{}, ""},
		{Mask{Rate: 0.999, First: 4, Column: 4, Given: given}, ""},
		{Mask{Rate: 1}, "drop rate 1"},
		{Mask{Rate: -0.1}, "drop rate -0.1"},
		{Mask{Rate: math.NaN()}, "drop rate NaN"},
		{Mask{First: -1}, "no rows"},
		{Mask{First: math.MaxUint32 - 2}, "no rows"},
		{Mask{First: math.MaxUint32 - 3}, ""},
		{Mask{Column: -1}, "no columns"},
		{Mask{Column: math.MaxUint32 - 4}, "no columns"},
		{Mask{Given: given.Prefix(2)}, "given mask is uint8[2 5]"},
	} {
		err := c.m.Check("k", 3, 5)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: error %v, want %q", c.m, err, c.want)
		}
	}
}

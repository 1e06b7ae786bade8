package engine

import "testing"

// The known answers of the generator's authors (Random123, kat_vectors).
func TestPhiloxKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{
			[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, [2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		},
		{
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		if got := Philox4x32(c.counter, c.key); got != c.want {
			t.Errorf("counter %x, key %x: %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

// TestDraw: element e of a row is word e%4 of the block with counter (e/4, row, step, layer), and the
// seed is the key, low half first. The words are those of the known answers.
func TestDraw(t *testing.T) {
	for i, want := range [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8} {
		if got := Draw(0, 0, 0, 0, uint32(i)); got != want {
			t.Errorf("element %d of nothing: %x, want %x", i, got, want)
		}
	}
	const element = 0x243f6a88 << 2 & 0xffffffff
	for i, want := range [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1} {
		if got := Draw(0x299f31d0a4093822, 0x13198a2e, 0x03707344, 0x85a308d3, element+uint32(i)); got != want {
			t.Errorf("element %d of row 0x85a308d3: %x, want %x", element+i, got, want)
		}
	}
}

func TestDropThreshold(t *testing.T) {
	for rate, want := range map[float64]uint32{0: 0, 0.25: 1 << 30, 0.5: 1 << 31, 0.75: 3 << 30, 1 - 1.0/(1<<32): 1<<32 - 1} {
		if got := DropThreshold(rate); got != want {
			t.Errorf("rate %v: %d, want %d", rate, got, want)
		}
	}
}

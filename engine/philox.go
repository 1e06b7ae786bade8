package engine

// Philox4x32 is the counter-based generator Philox4x32-10 of Salmon et al., "Parallel random numbers:
// as easy as 1, 2, 3" (SC 2011): ten rounds that turn a 128-bit counter and a 64-bit key into 128
// random bits. Equal arguments give equal bits on every device.
func Philox4x32(counter [4]uint32, key [2]uint32) [4]uint32 {
	for range 10 {
		p0 := uint64(counter[0]) * 0xD2511F53
		p1 := uint64(counter[2]) * 0xCD9E8D57
		counter = [4]uint32{
			uint32(p1>>32) ^ counter[1] ^ key[0], uint32(p1),
			uint32(p0>>32) ^ counter[3] ^ key[1], uint32(p0),
		}
		key[0] += 0x9E3779B9
		key[1] += 0xBB67AE85
	}
	return counter
}

// Draw is the random word of one element: word element%4 of the block with counter
// (element/4, row, step, layer) and the seed as key. Row is the row in the effective batch, so that
// micro-batches draw what the whole batch would.
func Draw(seed uint64, step, layer, row, element uint32) uint32 {
	block := Philox4x32([4]uint32{element / 4, row, step, layer}, [2]uint32{uint32(seed), uint32(seed >> 32)})
	return block[element%4]
}

// DropThreshold is the limit below which a drawn word drops its element, for dropout probability rate
// in [0, 1).
func DropThreshold(rate float64) uint32 { return uint32(rate * (1 << 32)) }

package flashmnist

import (
	"math/bits"
	"math/rand/v2"
)

// purpose keeps apart the random streams of things that share a number.
type purpose uint8

const (
	forImage      purpose = iota // one noisy image of the extractor's set
	forImageOrder                // the order of that set in one epoch
	forVideo                     // one video
	forVideoOrder                // the classes of a split's videos
)

// newStream returns the random stream of thing number index, below 2⁴⁸. Different things start at different places of
// the generator's one cycle of 2¹²⁸, since mix is one to one; that two of them meet within a video's 5,000 draws is
// as good as impossible.
func newStream(seed uint64, p purpose, split Split, index int) (r rand.PCG) {
	r.Seed(mix(seed), mix(uint64(p)<<56|uint64(split)<<48|uint64(index)))
	return r
}

// mix is the one-to-one finaliser of SplitMix64 (Steele, Lea, Flood, 2014): neighbouring numbers come out unrelated.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below draws a number from 0 to n−1; none is likelier than another by more than n/2⁶⁴.
func below(r *rand.PCG, n int) int {
	high, _ := bits.Mul64(r.Uint64(), uint64(n))
	return int(high)
}

// shuffle puts s into a uniformly drawn order (Fisher and Yates).
func shuffle[T any](r *rand.PCG, s []T) {
	for i := len(s) - 1; i > 0; i-- {
		j := below(r, i+1)
		s[i], s[j] = s[j], s[i]
	}
}

// Package draw holds the random numbers of reading and making data: functions of keys alone, the same with every release of
// Go (which rand.Rand's methods do not promise; rand.PCG is a fixed algorithm).
package draw

import (
	"math/bits"
	"math/rand/v2"
)

// Mix is the output function of SplitMix64: it spreads every bit of x over all bits.
// Source: Steele, Lea, Flood, Fast splittable pseudorandom number generators, 2014.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Key makes one key of several; their order counts.
func Key(parts ...uint64) (key uint64) {
	for _, p := range parts {
		key = Mix(key + p)
	}
	return key
}

// Hash is the 64-bit FNV-1a hash of s.
func Hash[T string | []byte](s T) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}

// Below draws a number in [0, n). Its bias is below n·2^-64.
func Below(from *rand.PCG, n int) int {
	high, _ := bits.Mul64(from.Uint64(), uint64(n))
	return int(high)
}

package yt8m

import (
	"math/rand/v2"

	"avcu/io/yt8m/internal/draw"
)

// drawBits is the number of bits of a draw r in [0, 1): r is a multiple of 2^-drawBits, so that sampling is exact in
// integers.
const drawBits = 20

// maxSampled bounds both the frames of a video and the frames sampled from it: their product times 2^drawBits then fits 64
// bits.
const maxSampled = 1 << 21

// A Sampler chooses the frames that stand for a video: L of its n, one from each of L equal stretches. Frame i is
// floor((i + r)·n/L), below n as r < 1. Videos shorter than L repeat frames.
type Sampler struct {
	Random bool   // r is drawn anew for each frame; else it is 1/2, the stretch's middle
	Seed   uint64 // of the draws, which depend on it, the epoch and the video's id and on nothing else
}

// Fill sets index[i], for all L = len(index), to the frame of a video of n frames; n and L lie in [1, 2^21].
func (s Sampler) Fill(index []int32, n, epoch int, id []byte) {
	if !s.Random {
		for i := range index {
			index[i] = midpoint(i, len(index), n)
		}
		return
	}
	var draws rand.PCG
	draws.Seed(draw.Key(s.Seed, uint64(epoch), streamFrames), draw.Mix(draw.Hash(id)))
	for i := range index {
		index[i] = drawn(i, len(index), n, draws.Uint64()>>(64-drawBits))
	}
}

// midpoint is floor((i + 1/2)·n/L).
func midpoint(i, length, n int) int32 { return int32((2*i + 1) * n / (2 * length)) }

// drawn is floor((i + r·2^-drawBits)·n/L).
func drawn(i, length, n int, r uint64) int32 {
	return int32((uint64(i)<<drawBits + r) * uint64(n) / (uint64(length) << drawBits))
}

// What random numbers are drawn for: each has a stream of its own.
const (
	streamFrames uint64 = iota + 1
	streamFiles
	streamRecords
)

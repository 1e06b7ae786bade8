package synth

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"avcu/io/yt8m/internal/draw"
)

// The values of a byte: noise of mean 128 and deviation noise, to which a prototype adds or from which it takes amplitude.
const (
	noise     = 32
	amplitude = 24
)

// A world is what all videos of a set share.
type world struct {
	Options
	words []int      // 8-byte words of a frame of each feature, rounded up
	signs [][]uint64 // signs[m], [classes, words[m]]: the bytes 0xff where a prototype takes away, 0 where it adds
	noise [256]byte  // quantiles of the noise
	width int        // characters of an id
}

// What random numbers are drawn for.
const (
	streamPrototype uint64 = iota + 1
	streamVideo
	streamID
)

func newWorld(o Options) *world {
	w := &world{Options: o, width: 4}
	for w.width < 6 && o.Videos > 1<<(6*w.width) {
		w.width++
	}
	for i := range w.noise {
		z := math.Sqrt2 * math.Erfinv((2*float64(i)+1)/256-1)
		w.noise[i] = byte(math.Round(128 + noise*z))
	}
	for _, f := range o.Features {
		words := (f.Dim + 7) / 8
		signs := make([]uint64, o.Classes*words)
		var draws rand.PCG
		for class := range o.Classes {
			draws.Seed(draw.Key(o.PrototypeSeed, streamPrototype, draw.Hash(f.Name)), uint64(class))
			for i := range words {
				signs[class*words+i] = spread(byte(draws.Uint64()))
			}
		}
		w.words = append(w.words, words)
		w.signs = append(w.signs, signs)
	}
	return w
}

// spread makes of each bit of b a byte, 0xff or 0.
func spread(b byte) uint64 {
	var bytes [8]byte
	for i := range bytes {
		bytes[i] = -(b >> i & 1)
	}
	return binary.LittleEndian.Uint64(bytes[:])
}

// id writes the id of video k into to: a number that no other video of the set has, in base 64. The numbers are permuted, by
// steps that can each be undone.
func (w *world) id(to []byte, k int64) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	bits := 6 * w.width
	mask := uint64(1)<<bits - 1
	x := uint64(k)
	for round := range uint64(3) {
		x = (x*0x9e3779b97f4a7c15 + draw.Key(w.Seed, streamID, round)) & mask
		x ^= x >> (bits / 2)
	}
	for i := range to {
		to[i] = digits[x>>(6*i)&63]
	}
}

package synth

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"avcu/io/yt8m"
	"avcu/io/yt8m/internal/draw"
)

const (
	maxLabels = 5 // most labels of a video
	shownIn   = 3 // a label shows in one of this many frames, and in one frame at least
)

// A generator makes the videos of a world, one after another. It is for one goroutine.
type generator struct {
	*world
	draws   rand.PCG
	encoder *yt8m.Encoder
	video   yt8m.Video
	pixels  [][]byte // of each feature, [max frames, 8·words]
	buffer  []byte
}

func newGenerator(w *world) *generator {
	g := &generator{world: w}
	var names []string
	for m, f := range w.Features {
		names = append(names, f.Name)
		g.pixels = append(g.pixels, make([]byte, 8*w.words[m]*w.MaxFrames))
	}
	g.encoder = yt8m.NewEncoder(names)
	g.video.ID = make([]byte, w.width)
	g.video.Rows = make([][][]byte, len(names))
	return g
}

// record returns the encoded video k, valid until the next call.
func (g *generator) record(k int64) []byte {
	g.make(k)
	g.buffer = g.encoder.Append(g.buffer[:0], &g.video)
	return g.buffer
}

// make makes video k the generator's video.
func (g *generator) make(k int64) {
	g.draws.Seed(draw.Key(g.Seed, streamVideo), uint64(k))
	v := &g.video
	g.id(v.ID, k)
	v.Frames = g.MinFrames + draw.Below(&g.draws, g.MaxFrames-g.MinFrames+1)
	v.Labels = v.Labels[:0]
	for n := 1 + draw.Below(&g.draws, min(maxLabels, g.Classes)); len(v.Labels) < n; {
		if label := int32(draw.Below(&g.draws, g.Classes)); !slices.Contains(v.Labels, label) {
			v.Labels = append(v.Labels, label)
		}
	}
	slices.Sort(v.Labels)
	var surely [maxLabels]int // a frame in which each label shows
	for j := range v.Labels {
		surely[j] = draw.Below(&g.draws, v.Frames)
	}
	for m := range v.Rows {
		v.Rows[m] = v.Rows[m][:0]
	}
	for i := range v.Frames {
		var shown [maxLabels]int
		n := 0
		for j, label := range v.Labels {
			if draw.Below(&g.draws, shownIn) == 0 || surely[j] == i {
				shown[n] = int(label)
				n++
			}
		}
		for m, f := range g.Features {
			row := g.pixels[m][8*g.words[m]*i:][:8*g.words[m]]
			g.fill(row, m, shown[:n])
			v.Rows[m] = append(v.Rows[m], row[:f.Dim])
		}
	}
}

// fill writes a frame of feature m into row: noise, and the prototypes of the classes shown.
func (g *generator) fill(row []byte, m int, shown []int) {
	q, words := &g.noise, g.words[m]
	for i := range words {
		r := g.draws.Uint64()
		x := uint64(q[byte(r)]) | uint64(q[byte(r>>8)])<<8 | uint64(q[byte(r>>16)])<<16 | uint64(q[byte(r>>24)])<<24 |
			uint64(q[byte(r>>32)])<<32 | uint64(q[byte(r>>40)])<<40 | uint64(q[byte(r>>48)])<<48 | uint64(q[r>>56])<<56
		for _, class := range shown {
			// x - a is ^(^x + a): where the prototype takes away, the byte is inverted before and after.
			sign := g.signs[m][class*words+i]
			x = addSaturated(x^sign, amplitude*ones) ^ sign
		}
		binary.LittleEndian.PutUint64(row[8*i:], x)
	}
}

const (
	ones = 0x0101010101010101
	low  = 0x7f * ones
	high = 0x80 * ones
)

// addSaturated adds the bytes of y to those of x; a sum above 255 is 255.
func addSaturated(x, y uint64) uint64 {
	sum := (x&low + y&low) ^ (x^y)&high
	carry := (x&y | (x|y)&^sum) & high
	return sum | carry>>7*0xff
}

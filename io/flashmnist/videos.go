package flashmnist

import (
	"fmt"
	"math/rand/v2"
)

// maxVideos bounds a split; the published one has 102,400 videos for training.
const maxVideos = 1 << 28

// Videos is the videos of a split, every class equally often and mixed. None is kept; each is made when asked for.
type Videos struct {
	source  *Source
	split   Split
	classes []uint16 // [n]
}

// Videos describes perClass videos of each of the 1,024 classes. The published setting is 100 for training, 10 for
// testing. Video i is a pure function of the seed, the split, its class and i.
func (s *Source) Videos(split Split, perClass int) (*Videos, error) {
	if perClass < 1 || perClass > maxVideos/Classes {
		return nil, fmt.Errorf("flashmnist: videos: %d a class for %s, want 1 to %d", perClass, split, maxVideos/Classes)
	}
	classes := make([]uint16, perClass*Classes)
	for i := range classes {
		classes[i] = uint16(i % Classes)
	}
	r := newStream(s.seed, forVideoOrder, split, 0)
	shuffle(&r, classes)
	return &Videos{source: s, split: split, classes: classes}, nil
}

// Len is the number of videos.
func (v *Videos) Len() int { return len(v.classes) }

// ID is video i's name, such as train-000123.
func (v *Videos) ID(i int) string { return fmt.Sprintf("%s-%06d", v.split, i) }

// Class is the subset of digits that video i shows, bit d for digit d.
func (v *Videos) Class(i int) int { return int(v.classes[i]) }

// Truth is the digit that each frame of video i shows, NoDigit where it is noise alone.
func (v *Videos) Truth(i int) [Frames]int {
	r := newStream(v.source.seed, forVideo, v.split, i)
	return v.plan(i, &r)
}

// plan draws which frame shows what: the first draws of a video's stream.
func (v *Videos) plan(i int, r *rand.PCG) (truth [Frames]int) {
	shown := truth[:0]
	for digit := range Digits {
		if v.classes[i]>>digit&1 == 0 {
			continue
		}
		for range 1 + below(r, 2) {
			shown = append(shown, digit)
		}
	}
	for len(shown) < Frames {
		shown = append(shown, NoDigit)
	}
	shuffle(r, shown)
	return truth
}

// Make makes the frames of video i, images [25, 784], and returns its Truth.
func (v *Videos) Make(i int, images []uint8) [Frames]int {
	r := newStream(v.source.seed, forVideo, v.split, i)
	truth := v.plan(i, &r)
	digits := v.source.digits[v.split]
	for frame, digit := range truth {
		image := images[frame*Pixels : (frame+1)*Pixels]
		v.source.noise.Fill(image, &r)
		if digit != NoDigit {
			places := v.source.where[v.split][digit]
			overlay(image, digits.Image(int(places[below(&r, len(places))])))
		}
	}
	return truth
}

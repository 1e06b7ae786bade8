// Package flashmnist makes Flash-MNIST, the paper's own test of attention clusters, out of MNIST.
//
// A video is 25 frames of 28×28 pixels and shows a subset of the ten digits; the subset is its class, a bit a digit, so
// that there are 1,024. Every digit of the subset appears in one or two frames, each the maximum, pixel by pixel, of
// noise and an image of that digit; the other frames are noise alone, and the frames are shuffled. Training videos show
// MNIST's training digits, test videos its test digits. Frames reach the model as the few values that a small network
// computes of each; that network is trained on Images and handed to Write as a function.
//
// Everything here is a pure function of the seed: image i and video i have a random stream of their own, so that they
// come out the same in whatever order, and by however many workers, they are made.
// Source: X. Long et al., "Attention Clusters: Purely Attention Based Local Feature Integration for Video
// Classification", CVPR 2018, section 4.
package flashmnist

import (
	"fmt"
	"strconv"

	"avcu/io/mnist"
)

const (
	Frames  = 25                // frames a video
	Size    = mnist.Size        // height and width of a frame
	Pixels  = mnist.Pixels      // pixels a frame
	Digits  = mnist.Digits      // digits a video can show
	Classes = 1 << mnist.Digits // subsets of the digits
)

// NoDigit stands for the digit of a frame that is noise alone.
const NoDigit = -1

// Split says which half of MNIST the digits come from.
type Split int

const (
	Train Split = iota // the training digits
	Test               // the test digits
)

// String is "train" or "test", the beginning of a video's id and of a shard's name.
func (s Split) String() string {
	if s == Test {
		return "test"
	}
	return "train"
}

// Source is MNIST prepared for drawing: its digits, and the noise made of its pixels.
type Source struct {
	seed   uint64
	noise  *Noise
	digits [2]*mnist.Set
	where  [2][Digits][]int32 // the places of each digit's images in digits
}

// NewSource takes both halves of MNIST. Noise follows the histogram of the training pixels in both splits.
func NewSource(train, test *mnist.Set, seed uint64) (*Source, error) {
	noise, err := NewNoise(train.Images)
	if err != nil {
		return nil, err
	}
	s := &Source{seed: seed, noise: noise, digits: [2]*mnist.Set{train, test}}
	for _, split := range []Split{Train, Test} {
		set := s.digits[split]
		if len(set.Images) != set.Len()*Pixels {
			return nil, fmt.Errorf("flashmnist: %s set: %d bytes of images for %d labels, want %d a label",
				split, len(set.Images), set.Len(), Pixels)
		}
		for i, label := range set.Labels {
			if label >= Digits {
				return nil, fmt.Errorf("flashmnist: %s set: label %d of image %d, want 0 to 9", split, label, i)
			}
			s.where[split][label] = append(s.where[split][label], int32(i))
		}
		for digit, places := range s.where[split] {
			if len(places) == 0 {
				return nil, fmt.Errorf("flashmnist: %s set: no image of digit %d, every digit is needed: give the whole of MNIST",
					split, digit)
			}
		}
	}
	return s, nil
}

// Noise is the source of noise pixels.
func (s *Source) Noise() *Noise { return s.noise }

// ClassName lists the digits of a class: "0 2" for class 5, whose bits 0 and 2 are set, and "none" for class 0.
func ClassName(class int) string {
	var name []byte
	for digit := range Digits {
		if class>>digit&1 == 1 {
			if len(name) > 0 {
				name = append(name, ' ')
			}
			name = strconv.AppendInt(name, int64(digit), 10)
		}
	}
	if len(name) == 0 {
		return "none"
	}
	return string(name)
}

// overlay sets each pixel of dst to the larger of itself and the digit's.
func overlay(dst, digit []uint8) {
	digit = digit[:len(dst)]
	for i, p := range digit {
		dst[i] = max(dst[i], p)
	}
}

package flashmnist

import "fmt"

// NoiseLabel is the label of an image that is noise alone, after the ten digits; ImageLabels the number of labels.
const (
	NoiseLabel  = Digits
	ImageLabels = Digits + 1
)

const edge = 28 // pixels of a side

// maxImages bounds a set of images, whose order is a list of int32.
const maxImages = 1 << 28

// Images is the set that the feature network is trained, or measured, on: noisy copies of every digit of a split, and
// images of pure noise. None is kept; each is made when it is asked for.
type Images struct {
	source *Source
	split  Split
	copies int
	noise  int
	reach  int
}

// Images describes `copies` noisy copies of each digit of the split and `noise` images of pure noise.
// The published setting is 5 copies and 30,000 images of noise.
func (s *Source) Images(split Split, copies, noise int) (*Images, error) {
	if n := s.digits[split].Len(); copies < 0 || noise < 0 || copies > maxImages/n || noise > maxImages-copies*n {
		return nil, fmt.Errorf("flashmnist: images: %d copies of %d digits and %d of noise: want none negative and at most %d in all",
			copies, n, noise, maxImages)
	}
	return &Images{source: s, split: split, copies: copies, noise: noise}, nil
}

// Moved is the set with each digit moved by up to reach pixels in both directions, drawn for each copy: a network that
// learns from it generalises better than from more noise alone. What leaves the image is lost.
func (m *Images) Moved(reach int) *Images {
	moved := *m
	moved.reach = min(max(reach, 0), edge)
	return &moved
}

// Len is the number of images.
func (m *Images) Len() int { return m.copies*m.source.digits[m.split].Len() + m.noise }

// Order returns the numbers 0 to Len−1 in the order of one epoch, a pure function of the seed and the epoch.
func (m *Images) Order(epoch int) []int32 {
	order := make([]int32, m.Len())
	for i := range order {
		order[i] = int32(i)
	}
	r := newStream(m.source.seed, forImageOrder, m.split, epoch)
	shuffle(&r, order)
	return order
}

// Fill makes the images of the given numbers: images [n, 784], labels [n] (0 to 9, or NoiseLabel), for n numbers.
func (m *Images) Fill(images []uint8, labels, numbers []int32) error {
	if len(images) != len(numbers)*Pixels || len(labels) != len(numbers) {
		return fmt.Errorf("flashmnist: images: room for %d bytes and %d labels for %d images of %d bytes",
			len(images), len(labels), len(numbers), Pixels)
	}
	digits := m.source.digits[m.split]
	count := m.Len()
	for row, number := range numbers {
		i := int(number)
		if i < 0 || i >= count {
			return fmt.Errorf("flashmnist: images: image %d of %d asked for", i, count)
		}
		image := images[row*Pixels : (row+1)*Pixels]
		r := newStream(m.source.seed, forImage, m.split, i)
		m.source.noise.Fill(image, &r)
		labels[row] = NoiseLabel
		if i < count-m.noise {
			digit := i % digits.Len()
			x, y := 0, 0
			if m.reach > 0 {
				x, y = below(&r, 2*m.reach+1)-m.reach, below(&r, 2*m.reach+1)-m.reach
			}
			overlayAt(image, digits.Image(digit), x, y)
			labels[row] = int32(digits.Labels[digit])
		}
	}
	return nil
}

// overlayAt is overlay with the digit moved x pixels to the right and y down.
func overlayAt(image, digit []uint8, x, y int) {
	for row := max(0, y); row < min(edge, edge+y); row++ {
		from, to := max(0, x), min(edge, edge+x)
		overlay(image[row*edge+from:row*edge+to], digit[(row-y)*edge+from-x:])
	}
}

package quantise

import (
	"fmt"
	"math"
)

// Statistics gathers the mean and the spread of each dimension, from features that come in parts and need not fit into
// memory. The zero value is empty. Sums are those of deviations from the mean, so that large means do no harm.
type Statistics struct {
	rows    float64
	mean    []float64 // [width]
	squares []float64 // [width], the sum of (f − mean)²
}

// Rows is the number of frames seen.
func (s *Statistics) Rows() int { return int(s.rows) }

// Add looks at features [n, width]. After an error, about the shape or a feature that is not finite, s is as it was.
func (s *Statistics) Add(features []float32, width int) error {
	if width < 1 || len(features)%width != 0 {
		return fmt.Errorf("quantise: %d features are no rows of %d", len(features), width)
	}
	part := Statistics{rows: float64(len(features) / width), mean: make([]float64, width), squares: make([]float64, width)}
	for i, f := range features {
		if !finite(float64(f)) {
			return notFinite(i/width, i%width, f)
		}
		part.mean[i%width] += float64(f) / part.rows
	}
	for i, f := range features {
		off := float64(f) - part.mean[i%width]
		part.squares[i%width] += off * off
	}
	return s.Merge(&part)
}

// Merge adds what another has seen. The order of merging changes the last bits: keep to one, such as that of the files, and
// every run gives the same scale.
func (s *Statistics) Merge(other *Statistics) error {
	if other.rows == 0 {
		return nil
	}
	if s.rows == 0 {
		s.mean, s.squares = make([]float64, len(other.mean)), make([]float64, len(other.mean))
	}
	if len(other.mean) != len(s.mean) {
		return fmt.Errorf("quantise: features of %d dimensions among others of %d", len(other.mean), len(s.mean))
	}
	rows := s.rows + other.rows
	for d, mean := range other.mean {
		apart := mean - s.mean[d]
		s.mean[d] += apart * other.rows / rows
		s.squares[d] += other.squares[d] + apart*apart*s.rows*other.rows/rows
	}
	s.rows = rows
	return nil
}

// Scale gives each dimension mean 0 and standard deviation 1, which attention learns from much faster than from values
// of one sign. Of normally distributed values some 5 % are clipped then. A dimension that never changes becomes 0.
func (s *Statistics) Scale() (*Scale, error) {
	if s.rows == 0 {
		return nil, fmt.Errorf("quantise: there are no frames to find a scale from")
	}
	scale := Identity(len(s.mean))
	for d, mean := range s.mean {
		deviation := math.Sqrt(s.squares[d] / s.rows)
		if deviation <= 1e-6*math.Abs(mean) {
			deviation = 1
		}
		scale.Factor[d], scale.Offset[d] = 1/deviation, -mean/deviation
	}
	return scale, nil
}

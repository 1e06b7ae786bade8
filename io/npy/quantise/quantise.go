// Package quantise turns features of floating point into the bytes that the model reads: scaled, rounded and clipped.
//
// The model makes x = q·4/255 + 4/512 − 2 of a byte q, as YouTube-8M does for the range [−2, 2]. So features should be
// scaled to fill that range without leaving it much; Statistics finds such a scale. The same scale must be used for all
// data of a model: those it is trained on, those it is tested on, and those it is used on later.
package quantise

import (
	"fmt"
	"math"
)

const (
	step   = 4.0 / 255
	lowest = 4.0/512 - 2
)

// Value is x, what the model makes of the byte q.
func Value(q uint8) float32 { return float32(float64(q)*step + lowest) }

// Scale is an affine map of each dimension, from a feature f to x = Factor·f + Offset.
type Scale struct {
	Factor []float64 `json:"factor"` // [width]
	Offset []float64 `json:"offset"` // [width]
}

// Identity is the scale for features that lie in [−2, 2] as they are.
func Identity(width int) *Scale {
	s := &Scale{Factor: make([]float64, width), Offset: make([]float64, width)}
	for d := range s.Factor {
		s.Factor[d] = 1
	}
	return s
}

// Check says what is wrong with a scale that was read from a file, for features of this width.
func (s *Scale) Check(width int) error {
	if len(s.Factor) != width || len(s.Offset) != width {
		return fmt.Errorf("quantise: the scale has %d factors and %d offsets, and the features have %d dimensions", len(s.Factor), len(s.Offset), width)
	}
	for d := range s.Factor {
		if !finite(s.Factor[d]) || !finite(s.Offset[d]) {
			return fmt.Errorf("quantise: dimension %d of the scale is %v and %v, want finite numbers", d, s.Factor[d], s.Offset[d])
		}
	}
	return nil
}

// Quantise stores features [n, width] as bytes, each the one whose value is nearest, and returns how many lay more than half a
// step, 2/255, outside the bytes' values and so were clipped. Within, the error is at most half a step. A feature that is
// not finite is an error. dst is as long as features, and width is that of the scale.
func (s *Scale) Quantise(dst []uint8, features []float32) (clipped int, err error) {
	width := len(s.Factor)
	if width == 0 || len(dst) != len(features) || len(features)%width != 0 {
		return 0, fmt.Errorf("quantise: %d features into %d bytes, want rows of %d", len(features), len(dst), width)
	}
	for row := 0; row < len(features); row += width {
		for d, f := range features[row : row+width] {
			if !finite(float64(f)) {
				return clipped, notFinite(row/width, d, f)
			}
			// The conversion keeps the product from being fused with the sum, so that every machine gives the same byte.
			x := float64(s.Factor[d]*float64(f)) + s.Offset[d]
			q := math.Floor((x-lowest)/step + 0.5)
			if q < 0 || q > 255 {
				q = min(max(q, 0), 255)
				clipped++
			}
			dst[row+d] = uint8(q)
		}
	}
	return clipped, nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func notFinite(row, dimension int, f float32) error {
	return fmt.Errorf("quantise: dimension %d of frame %d is %v, want a finite number: look at how the features were made", dimension, row, f)
}

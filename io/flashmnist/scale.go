package flashmnist

import (
	"fmt"
	"math"
)

// What the model makes of a stored byte q is x = q·step + lowest, the dequantiser of YouTube-8M for the range [−2, 2].
const (
	step   = 4.0 / 255
	lowest = 4.0/512 - 2
)

// Scale is the fixed affine map of each dimension from a feature f to the value x = Factor·f + Offset that is stored.
type Scale struct {
	Factor []float64 `json:"factor"` // [width]
	Offset []float64 `json:"offset"` // [width]
}

// Calibrate chooses the scale for features [n, width]: each dimension gets mean 0 and standard deviation
// 1, which attention learns from much faster than from values of one sign, though some 4 % of the values
// lie outside the range then and are clipped. A dimension that never changes becomes 0.
//
// Measured as top-1 on the classes below 256 (32 units, 8 epochs, one run each; the standard error of one is 0.6 points):
// 90.0 % so, and 89.5 % with the same features neither rounded nor clipped. Standard deviations of 0.5, 0.7, 1.5, 2 and 3
// give 86.0, 88.9, 90.5, 88.6 and 87.3 %; ranges that hold 99.9 % of a dimension's values give 83.8 % if they
// fill [−2, 2], and 79.3 % if [0, 2].
func Calibrate(features []float32, width int) (*Scale, error) {
	if width < 1 || len(features) == 0 || len(features)%width != 0 {
		return nil, fmt.Errorf("flashmnist: calibrate: %d values are no rows of %d", len(features), width)
	}
	rows := float64(len(features) / width)
	s := &Scale{Factor: make([]float64, width), Offset: make([]float64, width)}
	for d := range width {
		sum, squares := 0.0, 0.0
		for at := d; at < len(features); at += width {
			f := float64(features[at])
			if math.IsNaN(f) || math.IsInf(f, 0) {
				return nil, fmt.Errorf("flashmnist: calibrate: feature %d of frame %d is %v, want a finite value", d, at/width, f)
			}
			sum += f
		}
		mean := sum / rows
		for at := d; at < len(features); at += width {
			off := float64(features[at]) - mean
			squares += off * off
		}
		deviation := math.Sqrt(squares / rows)
		if deviation < 1e-6*math.Max(1, math.Abs(mean)) {
			deviation = 1
		}
		s.Factor[d] = 1 / deviation
		s.Offset[d] = -mean / deviation
	}
	return s, nil
}

// Quantise stores features [n, width] as bytes, each the one whose value is nearest, and returns how many lay outside the
// range and were clipped to its end. Inside the range the error is at most half a step, 2/255 on the scale of x.
// A value that is not a number is an error.
func (s *Scale) Quantise(dst []uint8, features []float32) (clipped int, err error) {
	width := len(s.Factor)
	if len(dst) != len(features) || len(features)%width != 0 {
		return 0, fmt.Errorf("flashmnist: quantise: %d values into %d bytes, want rows of %d", len(features), len(dst), width)
	}
	for row := 0; row < len(features); row += width {
		for d, f := range features[row : row+width] {
			// The conversion keeps the product from being fused with the sum, so that every machine gives the same byte.
			x := float64(s.Factor[d]*float64(f)) + s.Offset[d]
			q := math.Floor((x-lowest)/step + 0.5)
			if q < 0 || q > 255 {
				q = min(max(q, 0), 255)
				clipped++
			} else if q != q {
				return clipped, fmt.Errorf("flashmnist: quantise: feature %d of frame %d is not a number", d, row/width)
			}
			dst[row+d] = uint8(q)
		}
	}
	return clipped, nil
}

// Value is x, what the model makes of the byte q.
func Value(q uint8) float32 { return float32(float64(q)*step + lowest) }

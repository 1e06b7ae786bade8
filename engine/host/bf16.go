package host

import "math"

// RoundBF16 is the bfloat16 nearest to the float32 x, ties to even: 8 bits of precision, the range of
// float32. What is too large for it becomes infinite; NaN stays NaN.
func RoundBF16(x float64) float64 {
	b := math.Float32bits(float32(x))
	if x != x {
		return x
	}
	return float64(math.Float32frombits((b + 0x7fff + b>>16&1) &^ 0xffff))
}

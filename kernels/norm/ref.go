package norm

import "math"

// norm is the definition of Run, summed in float64. T is float32 on the reference device.
func norm[T float32 | float64](out, g []T, clip float64) {
	var sum float64
	for _, v := range g {
		sum += float64(v) * float64(v)
	}
	length := math.Sqrt(sum)
	out[0], out[1] = T(length), 1
	switch {
	case math.IsNaN(length) || float32(length) > math.MaxFloat32:
		out[1] = T(math.NaN())
	case clip > 0 && length > clip:
		out[1] = T(clip / length)
	}
}

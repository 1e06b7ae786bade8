package ptx

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// BenchmarkFMA is the inner loop of every product: 32 lanes of fma.rn.f32.
func BenchmarkFMA(b *testing.B) {
	for name, scale := range map[string]float32{"normal": 1, "zero": 0} {
		b.Run(name, func(b *testing.B) {
			var x, y, z [64][lanes]float32
			for j := range x {
				for i := range lanes {
					x[j][i], y[j][i] = rand.Float32()*scale, rand.Float32()-0.5
				}
			}
			for i := range b.N {
				j := i & 63
				fmaLanes32(unsafe.Pointer(&z[j]), unsafe.Pointer(&x[j]), unsafe.Pointer(&y[j]), unsafe.Pointer(&z[j]))
			}
			b.ReportMetric(float64(b.N)*lanes/b.Elapsed().Seconds()/1e6, "Mfma/s")
		})
	}
}

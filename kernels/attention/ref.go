package attention

import (
	"math"

	"avcu/engine"
	"avcu/engine/host"
)

// The definition of the calls: float64 sums, each value rounded once. T is float32 on the reference
// device, and float64 where tests compare with golden values or differences.

type float interface{ float32 | float64 }

// rows is a matrix whose rows lie ld elements apart.
type rows[T float] struct {
	data []T
	ld   int
}

func (r rows[T]) at(row int) []T { return r.data[row*r.ld:] }

func rowsOf(t engine.Tensor) rows[float32] { return rows[float32]{host.Slice[float32](t), t.LD()} }

// dequantised is the value of a quantised feature, in the range −2 … 2: q·4/255 + 4/512 − 2, rounded
// once.
func dequantised(q uint8) float32 { return float32(float64(q)*4/255 + 4.0/512 - 2) }

// frames is the features of a host tensor as floats.
func frames(x engine.Tensor) rows[float32] {
	if x.Type() == engine.Float32 {
		return rowsOf(x)
	}
	q := host.Slice[uint8](x)
	f := rows[float32]{make([]float32, len(q)), x.LD()}
	for i, v := range q {
		f.data[i] = dequantised(v)
	}
	return f
}

// scores is s[b,l,i] = x[b,l,:]·w[i,:] + c[i].
func scores[T float](s size, x, w rows[T], c []T, out []float64) {
	for row := range s.b * s.l {
		for i := range s.units {
			out[row*s.units+i] = float64(c[i]) + dot(x.at(row)[:s.d], w.at(i))
		}
	}
}

func dot[T float](x, y []T) (sum float64) {
	for k := range x {
		sum += float64(x[k]) * float64(y[k])
	}
	return sum
}

// pool turns scores into weights a and pools the features.
func pool[T float](s size, x rows[T], scores []float64, a []T, v rows[T]) {
	e := make([]float64, s.l)
	for b := range s.b {
		for i := range s.units {
			at := func(l int) int { return (b*s.l+l)*s.units + i }
			top, sum := math.Inf(-1), 0.0
			for l := range s.l {
				top = math.Max(top, scores[at(l)])
			}
			for l := range s.l {
				e[l] = math.Exp(scores[at(l)] - top)
				sum += e[l]
			}
			for l := range s.l {
				e[l] /= sum
				a[at(l)] = T(e[l])
			}
			for k := range s.d {
				p := 0.0
				for l := range s.l {
					p += e[l] * float64(x.at(b*s.l + l)[k])
				}
				v.at(b*s.units + i)[k] = T(p)
			}
		}
	}
}

func backwardScores[T float](s size, x rows[T], a []T, gv rows[T], gs []T) {
	g := make([]float64, s.l)
	for b := range s.b {
		for i := range s.units {
			at := func(l int) int { return (b*s.l+l)*s.units + i }
			mean := 0.0
			for l := range s.l {
				g[l] = dot(x.at(b*s.l + l)[:s.d], gv.at(b*s.units+i))
				mean += float64(a[at(l)]) * g[l]
			}
			for l := range s.l {
				gs[at(l)] = T(float64(a[at(l)]) * (g[l] - mean))
			}
		}
	}
}

func backwardWeights[T float](s size, x rows[T], gs []T, gw rows[T], add bool) {
	for i := range s.units {
		for k := range s.d {
			sum := 0.0
			if add {
				sum = float64(gw.at(i)[k])
			}
			for row := range s.b * s.l {
				sum += float64(gs[row*s.units+i]) * float64(x.at(row)[k])
			}
			gw.at(i)[k] = T(sum)
		}
	}
}

// backwardFeatures leaves the second term out where w has no data.
func backwardFeatures[T float](s size, w rows[T], a, gs []T, gv, gx rows[T], add bool) {
	for row := range s.b * s.l {
		first := row / s.l * s.units
		for k := range s.d {
			sum := 0.0
			if add {
				sum = float64(gx.at(row)[k])
			}
			for i := range s.units {
				sum += float64(a[row*s.units+i]) * float64(gv.at(first + i)[k])
				if w.data != nil {
					sum += float64(gs[row*s.units+i]) * float64(w.at(i)[k])
				}
			}
			gx.at(row)[k] = T(sum)
		}
	}
}

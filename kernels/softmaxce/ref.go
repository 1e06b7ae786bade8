package softmaxce

import "math"

type float interface{ float32 | float64 }

// loss is the definition of Loss; gz may be nil.
func loss[T float](b, k int, z []T, ldz int, offsets, labels []int32, each, gz []T, ldg int, scale float64) {
	for r := range b {
		row := z[r*ldz:][:k]
		top, sum := topAndSum(row)
		label := labels[offsets[r]]
		x := float64(row[label]) - top
		each[r] = T(math.Log(sum) - x)
		if gz == nil {
			continue
		}
		for c := range k {
			gz[r*ldg+c] = T(math.Exp(float64(row[c])-top) / sum * scale)
		}
		gz[r*ldg+int(label)] = T(math.Expm1(x-math.Log(sum)) * scale)
	}
}

// topAndSum is the largest logit, and the sum of exponentials of the differences from it.
func topAndSum[T float](row []T) (top, sum float64) {
	top = math.Inf(-1)
	for _, x := range row {
		top = math.Max(top, float64(x))
	}
	for _, x := range row {
		sum += math.Exp(float64(x) - top)
	}
	return top, sum
}

func prob[T float](b, k int, z []T, ldz int, p []T, ldp int) {
	for r := range b {
		row := z[r*ldz:][:k]
		top, sum := topAndSum(row)
		for c := range k {
			p[r*ldp+c] = T(math.Exp(float64(row[c])-top) / sum)
		}
	}
}

package metric

import (
	"math/rand/v2"
	"runtime"
	"testing"
)

// fill adds n videos of numClasses classes whose scores are all over the place.
func fill(t testing.TB, a *Sigmoid, random *rand.Rand, n, numClasses int) {
	v := video{make([]int32, PoolSize), make([]float32, PoolSize), make([]int32, 3)}
	for range n {
		score := float32(1)
		for i := range v.classes {
			score *= random.Float32()
			v.probs[i] = score
			v.classes[i] = int32(i*(numClasses/PoolSize) + random.IntN(numClasses/PoolSize))
		}
		for i := range v.labels {
			v.labels[i] = v.classes[random.IntN(PoolSize)]
		}
		if err := a.Add("v", v.classes, v.probs, v.labels); err != nil {
			t.Fatal(err)
		}
	}
}

// allocated returns how many bytes f allocates in all, freed ones included: no peak can be higher.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestMemory: 8 bytes an entry, the last chunk, and a megabyte for all the rest.
func TestMemory(t *testing.T) {
	const videos, numClasses = 30_000, 3862
	a := NewSigmoid(numClasses)
	if got, limit := allocated(func() { fill(t, a, rand.New(rand.NewPCG(7, 8)), videos, numClasses) }), uint64(8*videos*PoolSize+2<<20); got > limit {
		t.Errorf("adding %d videos allocated %d bytes, limit %d", videos, got, limit)
	}
	if got, limit := allocated(func() { a.Result() }), uint64(1<<20); got > limit {
		t.Errorf("Result allocated %d bytes, limit %d", got, limit)
	}
}

// BenchmarkYouTube8M is the whole validation set: 1.1 million videos, 22 million entries.
func BenchmarkYouTube8M(b *testing.B) {
	const videos, numClasses = 1_100_000, 3862
	for b.Loop() {
		var a *Sigmoid
		b.StopTimer()
		bytes := allocated(func() {
			a = NewSigmoid(numClasses)
			fill(b, a, rand.New(rand.NewPCG(9, 10)), videos, numClasses)
		})
		b.StartTimer()
		bytes += allocated(func() { a.Result() })
		b.ReportMetric(float64(bytes)/1e6, "MB")
	}
}

func BenchmarkAdd(b *testing.B) {
	a := NewSigmoid(3862)
	fill(b, a, rand.New(rand.NewPCG(11, 12)), b.N, 3862)
}

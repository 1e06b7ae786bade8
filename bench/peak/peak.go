// Package peak measures what a machine can do at most, which is what kernels are measured against: floating-point
// operations a second, and bytes moved a second.
package peak

import (
	"fmt"
	"time"

	"avcu/engine"
	"avcu/engine/host"
)

// MemoryBytes is a working set that no cache holds.
const MemoryBytes = 1 << 29

// FMA is the float32 operations a second of so many threads of this processor (0: of all), a fused multiplication and
// addition counting two: independent chains of them in registers, in the widest vectors there are, all threads at once.
func FMA(threads int) (float64, error) { return fma(threads, 0) }

// BF16 is FMA of products of bfloat16, summed in float32, by what the matrix products use: AMX or AVX512_BF16; where the
// processor has neither, FMA.
func BF16(threads int) (float64, error) { return fma(threads, 1) }

// Float32 is the operations a second of float32 products as the cpu device computes them: FMA, or a sixth of BF16 where AMX
// multiplies numbers in three pieces, by six products of those.
func Float32(threads int) (float64, error) {
	rate, err := FMA(threads)
	if err != nil || !host.HasAMX() {
		return rate, err
	}
	pieces, err := BF16(threads)
	return max(rate, pieces/6), err
}

// Triad is the bytes a second that so many threads (0: all) move to and from memory in a[i] ← a[i] + s·b[i]. The
// destination is one of the sources, so that no line is fetched just to be overwritten and 12 bytes an element is all
// that moves. What only reads may be a little faster.
func Triad(threads int) (float64, error) { return triad(threads, MemoryBytes) }

// TriadWithin is Triad on a working set of so many bytes, some of which caches may hold.
func TriadWithin(threads int, bytes int64) (float64, error) { return triad(threads, bytes) }

const (
	longEnough = 2 * time.Millisecond   // of one measurement
	patience   = 300 * time.Millisecond // of all
)

// best is the highest rate of many measurements of run, which does n rounds of something and returns how much it was.
func best(d engine.Device, run func(n int) (float64, error)) (rate float64, err error) {
	n := 1
	for begin := time.Now(); rate == 0 || time.Since(begin) < patience; {
		work := 0.0
		spent, err := d.Time(func() (err error) {
			work, err = run(n)
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("peak: %w", err)
		}
		if spent < longEnough {
			n *= 2
			continue
		}
		rate = max(rate, work/spent.Seconds())
	}
	return rate, nil
}

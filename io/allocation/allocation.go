// Package allocation measures the memory that readers take, for their tests.
package allocation

import "runtime"

// Of returns the bytes that f allocates, freed ones included; other goroutines count too.
func Of(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// Limit is the most that reading n bytes of a file that nobody vouches for may allocate.
func Limit(n int) int64 { return 16*int64(n) + 1<<20 }

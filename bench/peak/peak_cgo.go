//go:build cgo

package peak

/*
#cgo CFLAGS: -std=gnu17 -O3
#include "peak.h"
*/
import "C"

import (
	"time"

	"avcu/engine"
	"avcu/engine/host"
)

func fma(threads int, bf16 C.int) (float64, error) {
	d, err := host.NewCPU(host.Options{Threads: threads, BF16: bf16 != 0})
	if err != nil {
		return 0, err
	}
	defer d.Close()
	rate := 0.0
	for begin := time.Now(); time.Since(begin) < patience; {
		rate = max(rate, float64(C.avcu_peak_fma((*C.avcu_pool)(d.Pool()), bf16)))
	}
	return rate, nil
}

func triad(threads int, bytes int64) (float64, error) {
	d, err := host.NewCPU(host.Options{Threads: threads})
	if err != nil {
		return 0, err
	}
	defer d.Close()
	// Whole vectors, and not a power of two: caches are narrow at its multiples.
	n := max(bytes/8*99/100, 1024*int64(d.Threads())) / 16 * 16
	m, err := d.Alloc(8 * n)
	if err != nil {
		return 0, err
	}
	defer func() { _ = d.Free(m) }()
	all := engine.NewTensor(m, 0, engine.Float32, 0, 2, int(n))
	if err := d.Fill(all.Buffer(), 0x3F); err != nil { // 0.75, and pages of its own for every address
		return 0, err
	}
	a, b := all.Row(0).Buffer().Host(), all.Row(1).Buffer().Host()
	return best(d, func(passes int) (float64, error) {
		return float64(C.avcu_peak_triad((*C.avcu_pool)(d.Pool()), (*C.float)(a), (*C.float)(b), C.long(n), C.long(passes))), nil
	})
}

//go:build cgo

// Package pooltest makes the worker threads of the cpu device callable from Go tests: jobs that watch
// how their tasks are run. Nothing else uses it.
package pooltest

/*
#cgo CFLAGS: -std=gnu17 -O2
#include "pooltest.h"
*/
import "C"

import (
	"unsafe"

	"avcu/engine/host"
)

// Mistakes counts what went wrong in a run of jobs.
type Mistakes struct {
	Missed  int // tasks that did not run exactly once
	Foreign int // tasks that ran with another job's argument or an index outside of it
	Clashes int // tasks whose worker was running another, or is none of the pool
}

// Jobs runs jobs of 1 to most tasks, one right after another; each task turns for a while. Before
// every pause-th job the workers are left to fall asleep (0: never).
func Jobs(d *host.CPU, jobs, most, turns, pause int) Mistakes {
	m := C.avcu_pooltest_jobs(pool(d), C.long(jobs), C.long(most), C.long(turns), C.long(pause))
	return Mistakes{int(m.missed), int(m.foreign), int(m.clashes)}
}

// Meet runs a task a thread, each of which waits for all others, and returns how many different
// workers came within the time.
func Meet(d *host.CPU, seconds float64) int {
	return int(C.avcu_pooltest_meet(pool(d), C.double(seconds)))
}

// Scratch is the scratch memory of a slot, at least of so many bytes.
func Scratch(d *host.CPU, slot, bytes int) []byte {
	return unsafe.Slice((*byte)(C.avcu_pooltest_scratch(pool(d), C.int(slot), C.size_t(bytes))), bytes)
}

func pool(d *host.CPU) *C.avcu_pool { return (*C.avcu_pool)(d.Pool()) }

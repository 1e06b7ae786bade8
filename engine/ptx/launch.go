package ptx

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

// launch is one launch of a kernel.
type launch struct {
	heap      *heap
	kernel    *kernel
	variables map[string]uint64 // addresses of the module's variables
	grid      [3]int
	block     [3]int
	dynamic   int // bytes of dynamic shared memory
	args      []uint64
	number    uint64 // tells launches apart in race cells, 16 bits
	checks    bool
	races     bool // between blocks
	count     bool
	permute   uint64
	patience  int64
	from, to  int64 // blocks that run
	atomics   sync.Mutex
}

// Limits of a device of compute capability 6.1.
const (
	maxThreads     = 1024
	maxSharedBytes = 48 << 10
	patience       = 1 << 28 // instructions of a warp between barriers
)

func (l *launch) validate() error {
	threads := l.block[0] * l.block[1] * l.block[2]
	k := l.kernel
	for i := range 3 {
		if l.grid[i] < 1 || l.block[i] < 1 || i > 0 && l.grid[i] > 65535 || l.grid[i] > 1<<31-1 {
			return fmt.Errorf("ptx: kernel %s: a grid of %v blocks of %v threads", k.name, l.grid, l.block)
		}
	}
	limit := maxThreads
	if k.maxThreads > 0 {
		limit = min(limit, k.maxThreads)
	}
	if threads > limit || l.block[2] > 64 {
		return fmt.Errorf("ptx: kernel %s: a block of %v threads; it takes at most %d", k.name, l.block, limit)
	}
	if l.dynamic < 0 || k.sharedBytes+l.dynamic > maxSharedBytes {
		return fmt.Errorf("ptx: kernel %s: %d bytes of shared memory, of which %d are dynamic; a block may have %d", k.name, k.sharedBytes+l.dynamic, l.dynamic, maxSharedBytes)
	}
	if len(l.args) != len(k.params) {
		return fmt.Errorf("ptx: kernel %s takes %d parameters, and %d were given", k.name, len(k.params), len(l.args))
	}
	return nil
}

// other names a block that a race is with.
func (l *launch) other(block int64) string {
	switch block {
	case -1:
		return "an atomic operation updated"
	case -2:
		return "several blocks read"
	}
	x, y := int64(l.grid[0]), int64(l.grid[1])
	return fmt.Sprintf("block (%d,%d,%d) used", block%x, block/x%y, block/(x*y))
}

// order is the place of a block in the order of starting, turned into its number: with a seed a
// permutation of [from, to), by a walk of the multiples of a number that has no divisor in common.
func (l *launch) order() func(i int64) int64 {
	n := l.to - l.from
	if l.permute == 0 || n < 2 {
		return func(i int64) int64 { return l.from + i }
	}
	r := rand.New(rand.NewPCG(l.permute, uint64(n)))
	step, start := 1+r.Int64N(n), r.Int64N(n)
	for gcd(step, n) != 1 {
		step++
	}
	step %= n
	if step == 0 {
		step = 1
	}
	return func(i int64) int64 {
		hi := (uint64(i)%uint64(n)*uint64(step) + uint64(start)) % uint64(n)
		return l.from + int64(hi)
	}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// run executes the blocks on up to n workers and returns the fault of the lowest block that has one,
// among those that ran.
func (l *launch) run(n int, done *Counters) error {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	blocks := l.to - l.from
	n = int(min(int64(n), blocks))
	place := l.order()
	var next atomic.Int64
	var failed atomic.Bool
	var mutex sync.Mutex
	var fault *Fault
	var faultAt int64
	work := func() {
		w := newWorker(l)
		for !failed.Load() {
			i := next.Add(1) - 1
			if i >= blocks {
				break
			}
			if b := place(i); !w.run(b) {
				failed.Store(true)
				mutex.Lock()
				if fault == nil || b < faultAt {
					fault, faultAt = w.fault, b
				}
				mutex.Unlock()
				break
			}
		}
		if l.count {
			mutex.Lock()
			w.report(done)
			mutex.Unlock()
		}
	}
	if n == 1 {
		work()
	} else {
		var group sync.WaitGroup
		for range n {
			group.Go(work)
		}
		group.Wait()
	}
	if fault != nil {
		return fault
	}
	return nil
}

// report adds what a worker counted.
func (w *worker) report(c *Counters) {
	c.add(w.tally)
	c.BlocksRun += w.blocks
	for pc, n := range w.counts {
		if n > 0 {
			c.Instructions[w.kernel.body[pc].op] += n
		}
	}
}

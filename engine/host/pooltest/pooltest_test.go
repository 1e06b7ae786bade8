//go:build cgo && unix

package pooltest

import (
	"syscall"
	"testing"
	"time"
	"unsafe"

	"avcu/engine/host"
)

func start(t *testing.T, threads int) *host.CPU {
	d, err := host.NewCPU(host.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// TestJobs: every task runs exactly once, with its own job's argument, and no worker runs two at a
// time: with fewer and more threads than cores, jobs that follow each other fast, tasks that last
// longer than others, and workers that have fallen asleep.
func TestJobs(t *testing.T) {
	for threads := 1; threads <= 8; threads++ {
		d := start(t, threads)
		for _, c := range []struct{ jobs, most, turns, pause int }{
			{3000, 1, 0, 0}, {3000, 37, 0, 0}, {500, 37, 200, 0}, {5, 5000, 0, 0}, {20, 9, 100, 1}, {300, 9, 0, 60},
		} {
			if m := Jobs(d, c.jobs, c.most, c.turns, c.pause); m != (Mistakes{}) {
				t.Errorf("%d threads, %+v: %+v", threads, c, m)
			}
		}
	}
}

// TestMeet: as many tasks as threads can all run at the same time, each on a worker of its own, also
// after all have fallen asleep.
func TestMeet(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		d := start(t, threads)
		for range 3 {
			if n := Meet(d, 5); n != threads {
				t.Errorf("%d of %d workers came", n, threads)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// TestSleep: idle workers take no processor time.
func TestSleep(t *testing.T) {
	d := start(t, 4)
	Meet(d, 5)
	time.Sleep(50 * time.Millisecond)
	before := processorTime(t)
	time.Sleep(200 * time.Millisecond)
	// Three spinning workers on one core alone would take 200 ms.
	if spent := processorTime(t) - before; spent > 50*time.Millisecond {
		t.Errorf("%v of processor time in 200 ms without a job", spent)
	}
}

func processorTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestStartAndEnd: pools come and go, with workers that spin, work or sleep.
func TestStartAndEnd(t *testing.T) {
	for i := range 60 {
		d, err := host.NewCPU(host.Options{Threads: i%8 + 1})
		if err != nil {
			t.Fatal(err)
		}
		if i%3 > 0 {
			Jobs(d, 2, 20, 10, 0)
		}
		if i%20 == 0 {
			time.Sleep(2 * time.Millisecond)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil { // twice does no harm
			t.Fatal(err)
		}
	}
}

// TestScratch: every slot, one a worker and one for all, is memory of its own, aligned, and stays
// until more is asked for.
func TestScratch(t *testing.T) {
	const threads = 3
	d := start(t, threads)
	for _, bytes := range []int{1, 4096, 5000, 100_000, 3 << 20} {
		var slots [][]byte
		for s := range threads + 1 {
			b := Scratch(d, s, bytes)
			if address := uintptr(unsafe.Pointer(&b[0])); address%4096 != 0 {
				t.Errorf("slot %d: %d bytes at %#x", s, bytes, address)
			}
			for i := range b {
				b[i] = byte(s + 1)
			}
			slots = append(slots, b)
		}
		for s, b := range slots {
			if again := Scratch(d, s, bytes/2+1); &again[0] != &b[0] {
				t.Errorf("slot %d moved when asked for less", s)
			}
			for i := range b {
				if b[i] != byte(s+1) {
					t.Fatalf("slot %d of %d bytes was written by another", s, bytes)
				}
			}
		}
	}
}

package yt8m

import (
	"fmt"
	"os"
	"sync"
)

// Handles keeps files open for reading, a bounded number of them: the ones used last.
type handles struct {
	mu    sync.Mutex
	files []handle // by index of the file
	open  []int    // files that are open
	limit int      // of len(open), as long as no more are in use at once
	clock uint64
}

type handle struct {
	file  *os.File // nil: not open
	users int
	used  uint64 // the clock at the last acquire
}

func newHandles(files, limit int) *handles {
	return &handles{files: make([]handle, files), limit: limit}
}

// acquire returns file i, whose path is name, open for reading until release(i).
func (h *handles) acquire(i int, name string) (*os.File, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := &h.files[i]
	if f.file == nil {
		h.mu.Unlock() // opening may take long, on a network
		opened, err := os.Open(name)
		h.mu.Lock()
		if err != nil {
			return nil, fmt.Errorf("yt8m: %w", err)
		}
		if f.file != nil { // another worker was faster
			opened.Close()
		} else {
			f.file = opened
			h.open = append(h.open, i)
		}
	}
	h.clock++
	f.users++
	f.used = h.clock
	h.evict()
	return f.file, nil
}

// release ends a use of file i.
func (h *handles) release(i int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.files[i].users--
}

// evict closes the files used longest ago while too many are open.
func (h *handles) evict() {
	for len(h.open) > h.limit {
		oldest := -1 // index in open
		for k, i := range h.open {
			if f := &h.files[i]; f.users == 0 && (oldest < 0 || f.used < h.files[h.open[oldest]].used) {
				oldest = k
			}
		}
		if oldest < 0 {
			return // all in use
		}
		h.files[h.open[oldest]].close()
		h.open[oldest] = h.open[len(h.open)-1]
		h.open = h.open[:len(h.open)-1]
	}
}

// close closes all files; none is in use.
func (h *handles) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, i := range h.open {
		h.files[i].close()
	}
	h.open = h.open[:0]
}

func (f *handle) close() {
	f.file.Close() // nothing was written: nothing to learn
	f.file = nil
}

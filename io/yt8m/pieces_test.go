package yt8m

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestHandles(t *testing.T) {
	var files []string
	dir := t.TempDir()
	for i := range 12 {
		name := filepath.Join(dir, string(rune('a'+i)))
		if err := os.WriteFile(name, []byte{byte(i)}, 0o666); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	const limit, workers = 5, 4
	h := newHandles(len(files), limit)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(w)))
			var b [1]byte
			for range 2000 {
				i := rnd.IntN(len(files))
				f, err := h.acquire(i, files[i])
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := f.ReadAt(b[:], 0); err != nil || b[0] != byte(i) {
					t.Errorf("file %d: reads %d, %v", i, b[0], err)
				}
				h.release(i)
				h.mu.Lock()
				if len(h.open) > limit {
					t.Errorf("%d files are open", len(h.open))
				}
				h.mu.Unlock()
			}
		})
	}
	wg.Wait()
	open := func() (n int) {
		for _, f := range h.files {
			if f.file != nil {
				n++
			}
		}
		return n
	}
	if open() != limit || len(h.open) != limit {
		t.Errorf("%d files are open, %d listed, want %d", open(), len(h.open), limit)
	}
	last := h.open[0]
	for k := range limit { // the one used longest ago goes, not the one just used
		if i := h.open[k]; h.files[i].used > h.files[last].used {
			last = i
		}
	}
	for i := range files {
		if h.files[i].file == nil {
			if _, err := h.acquire(i, files[i]); err != nil {
				t.Fatal(err)
			}
			h.release(i)
			break
		}
	}
	if h.files[last].file == nil {
		t.Error("the file used last was closed")
	}
	// A file in use stays open, however many others are.
	kept, err := h.acquire(0, files[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(files); i++ {
		if _, err := h.acquire(i, files[i]); err != nil {
			t.Fatal(err)
		}
	}
	var b [1]byte
	if _, err := kept.ReadAt(b[:], 0); err != nil || open() != len(files) {
		t.Errorf("%d files are open, all in use: %v", open(), err)
	}
	for i := range files {
		h.release(i)
	}
	h.close()
	if _, err := h.acquire(0, filepath.Join(dir, "none")); err == nil {
		t.Error("a missing file is opened")
	}
	h.close()
	if open() != 0 {
		t.Errorf("%d files are open after close", open())
	}
}

func TestBuffers(t *testing.T) {
	for n := 1; n < 1<<31-1; n += 1 + n/9 {
		for _, n := range []int{n, 1<<12 + n%7, 1<<20 + n%3 - 1} {
			c, size := class(n)
			again, same := class(size)
			if size < n || size > max(1<<12, n+n/4) || again != c || same != size || c >= len(buffers{}.free) {
				t.Fatalf("%d bytes: class %d of %d bytes, which has class %d of %d", n, c, size, again, same)
			}
			if next, _ := class(size + 1); next != c+1 {
				t.Fatalf("%d bytes: class %d, then %d", size, c, next)
			}
		}
	}
	b := buffers{limit: 3 << 12}
	var lent [][]byte
	for range 5 {
		lent = append(lent, b.take(100))
	}
	for _, buf := range lent {
		b.give(buf)
	}
	b.give(nil)
	if b.idle != b.limit || len(b.free[0]) != 3 {
		t.Errorf("%d idle bytes, %d buffers", b.idle, len(b.free[0]))
	}
	if got := b.take(4096); len(got) != 4096 || len(b.free[0]) != 2 || b.idle != 2<<12 {
		t.Errorf("%d bytes taken, %d buffers left, %d idle bytes", len(got), len(b.free[0]), b.idle)
	}
}

func TestShuffler(t *testing.T) {
	const n, trials = 12, 20_000
	// With a buffer for all, each record is as likely at each place.
	var at [n][n]int
	for trial := range trials {
		k := 0
		s := newShuffler(n, 1, uint64(trial), 0, func(r record) bool { at[r.number][k]++; k++; return true })
		for i := range int64(n) {
			s.add(record{number: i})
		}
		s.flush()
		if k != n {
			t.Fatalf("%d records leave", k)
		}
	}
	for i := range at {
		for k, got := range at[i] {
			// Mean 1667, deviation 39: 240 is more than six.
			if got < trials/n-240 || got > trials/n+240 {
				t.Errorf("record %d is at place %d %d times, expected %d", i, k, got, trials/n)
			}
		}
	}
	// Memory is bounded: no more is ever held than there is room for, but for a single record larger than it.
	inside, most := int64(0), int64(0)
	s := newShuffler(1000, 5<<12, 1, 0, func(r record) bool { inside -= stored(r); return true })
	for i := range 200 {
		r := record{data: make([]byte, 1+i*i)}
		s.add(r)
		inside += stored(r)
		if len(s.held) > 1 {
			most = max(most, inside)
		}
	}
	s.flush()
	if most != 5<<12 || inside != 0 || s.used != 0 {
		t.Errorf("%d bytes held at most, %d and %d in the end", most, inside, s.used)
	}
	order := shuffledFiles(1000, 1, 2)
	seen := make([]bool, 1000)
	same := 0
	for i, k := range order {
		seen[k] = true
		if i == k {
			same++
		}
	}
	for k, ok := range seen {
		if !ok {
			t.Errorf("file %d is left out", k)
		}
	}
	if same > 10 { // the mean is one, of any permutation
		t.Errorf("%d of 1000 files stay in place", same)
	}
}

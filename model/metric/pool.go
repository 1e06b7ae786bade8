package metric

import (
	"cmp"
	"math"
	"slices"
)

// entry is one scored class of one video in 8 bytes: the complement of the score's float32 bits in the upper half, so that
// ascending entries are descending scores (scores are never negative), then 31 bits of class, then 1 bit: is it a label.
type entry uint64

func newEntry(score float32, class int32, hit bool) entry {
	bits := math.Float32bits(score) &^ (1 << 31) // -0 is 0
	e := entry(^bits)<<32 | entry(uint32(class))<<1
	if hit {
		e |= 1
	}
	return e
}

func (e entry) score() uint32 { return uint32(e >> 32) } // comparable for equality only
func (e entry) class() int32  { return int32(uint32(e) >> 1) }
func (e entry) hit() int64    { return int64(e & 1) }

// chunkEntries entries make one chunk of 1 MiB.
const chunkEntries = 1 << 17

// pool holds entries in chunks, so that growing never copies what is there.
type pool struct{ chunks [][]entry }

func (p *pool) add(e entry) {
	last := len(p.chunks) - 1
	if last < 0 || len(p.chunks[last]) == chunkEntries {
		p.chunks = append(p.chunks, make([]entry, 0, chunkEntries))
		last++
	}
	p.chunks[last] = append(p.chunks[last], e)
}

// sorted calls visit with every entry in ascending order (highest score first, then lowest class). It sorts each chunk where
// it lies and merges them on the way, so it needs no memory beside the pool's.
func (p *pool) sorted(visit func(entry)) {
	heap := make([][]entry, 0, len(p.chunks)) // a binary heap of what is left of each chunk, smallest head first
	for _, chunk := range p.chunks {
		slices.Sort(chunk)
		heap = append(heap, chunk)
	}
	slices.SortFunc(heap, func(a, b []entry) int { return cmp.Compare(a[0], b[0]) }) // a sorted slice is a heap
	for len(heap) > 0 {
		visit(heap[0][0])
		if heap[0] = heap[0][1:]; len(heap[0]) == 0 {
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		}
		sink(heap)
	}
}

// sink moves the first element of heap down to its place.
func sink(heap [][]entry) {
	at := 0
	for {
		child := 2*at + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && heap[child+1][0] < heap[child][0] {
			child++
		}
		if heap[at][0] <= heap[child][0] {
			return
		}
		heap[at], heap[child] = heap[child], heap[at]
		at = child
	}
}

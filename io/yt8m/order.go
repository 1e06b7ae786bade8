package yt8m

import (
	"math/rand/v2"

	"avcu/io/yt8m/internal/draw"
)

// shuffledFiles returns the numbers below n in the order in which the files of an epoch are read.
func shuffledFiles(n int, seed uint64, epoch int) []int {
	order := make([]int, n)
	var draws rand.PCG
	draws.Seed(draw.Key(seed, uint64(epoch), streamFiles), uint64(n))
	for i := range order { // Fisher-Yates, inside out
		j := draw.Below(&draws, i+1)
		order[i] = order[j]
		order[j] = i
	}
	return order
}

// A shuffler passes records on in a random order, by way of a buffer: what leaves is drawn evenly from all that it holds. The
// order is a function of its seed and of the records alone.
type shuffler struct {
	draws rand.PCG
	held  []record
	size  int   // most records held
	room  int64 // most bytes of their data held, as they are stored in buffers
	used  int64
	next  func(record) bool // where records go; false: no more are wanted
}

func newShuffler(size int, room int64, seed uint64, epoch int, next func(record) bool) *shuffler {
	s := &shuffler{size: size, room: room, next: next}
	s.draws.Seed(draw.Key(seed, uint64(epoch), streamRecords), 0)
	return s
}

// add takes a record in, and passes others on where there is no room for it.
func (s *shuffler) add(r record) bool {
	need := stored(r)
	for len(s.held) > 0 && (len(s.held) >= s.size || s.used+need > s.room) {
		if !s.pass() {
			return false
		}
	}
	s.held = append(s.held, r)
	s.used += need
	return true
}

// flush passes on all that is held.
func (s *shuffler) flush() bool {
	for len(s.held) > 0 {
		if !s.pass() {
			return false
		}
	}
	return true
}

// pass draws one record and passes it on.
func (s *shuffler) pass() bool {
	i, last := draw.Below(&s.draws, len(s.held)), len(s.held)-1
	r := s.held[i]
	s.held[i] = s.held[last]
	s.held[last] = record{}
	s.held = s.held[:last]
	s.used -= stored(r)
	return s.next(r)
}

// stored is the number of bytes that the data of r takes in buffers.
func stored(r record) int64 {
	if r.data == nil {
		return 0
	}
	_, size := class(len(r.data))
	return int64(size)
}

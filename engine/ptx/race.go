package ptx

import "sync/atomic"

// Races between blocks. Every grain of global memory (1, 2 or 4 bytes, the smallest that the kernel
// stores) has a cell that tells which block of the running launch wrote it and which read it:
//
//	launch 16 bits | writer 24 bits | reader 24 bits
//
// A cell of another launch counts as empty, so that nothing is cleared between launches. Writers and
// readers are the block's number + 1; 0 is none.
const (
	several    = 1<<24 - 1 // more than one block read it; as a writer: by atomic operations
	maxBlocks  = 1<<24 - 3
	readerMask = 1<<24 - 1
	chunkCells = 1 << 14
)

type raceChunk [chunkCells]uint64

// raceTable is the cells of an allocation, made as they are touched.
type raceTable struct {
	chunks atomic.Pointer[[]atomic.Pointer[raceChunk]]
}

// forget drops all cells, when the numbers of launches begin again.
func (t *raceTable) forget() { t.chunks.Store(nil) }

func (t *raceTable) cell(i, cells int64) *uint64 {
	chunks := t.chunks.Load()
	if n := (cells + chunkCells - 1) / chunkCells; chunks == nil || int64(len(*chunks)) < n {
		t.grow(n)
		chunks = t.chunks.Load()
	}
	p := &(*chunks)[i/chunkCells]
	c := p.Load()
	if c == nil {
		p.CompareAndSwap(nil, new(raceChunk))
		c = p.Load()
	}
	return &c[i%chunkCells]
}

// grow makes room for n chunks. Only the first access of a launch to an allocation can find it too
// small; cells that another worker set at the same moment are kept.
func (t *raceTable) grow(n int64) {
	for {
		old := t.chunks.Load()
		if old != nil && int64(len(*old)) >= n {
			return
		}
		fresh := make([]atomic.Pointer[raceChunk], n)
		if t.chunks.CompareAndSwap(old, &fresh) {
			return
		}
	}
}

type accessKind uint8

const (
	reading accessKind = iota
	writing
	updating // atomically
)

// touch notes an access of a block to the cell and returns the other block that it conflicts with, -1
// for atomic operations of several, and whether there is one.
func touch(cell *uint64, launch uint64, block int64, kind accessKind) (other int64, conflict bool) {
	me := uint64(block) + 1
	for {
		old := atomic.LoadUint64(cell)
		c := old
		if c>>48 != launch {
			c = launch << 48
		}
		writer, reader := c>>24&readerMask, c&readerMask
		if writer != 0 && writer != me && !(kind == updating && writer == several) {
			if writer == several {
				return -1, true
			}
			return int64(writer) - 1, true
		}
		switch kind {
		case reading:
			if reader == me || reader == several {
				return 0, false
			}
			if reader != 0 {
				me = several
			}
			c = c&^readerMask | me
		default:
			if reader != 0 && reader != me {
				if reader == several {
					return -2, true
				}
				return int64(reader) - 1, true
			}
			if writer == me { // also for an atomic operation: others must still see the plain write
				return 0, false
			}
			if kind == updating {
				me = several
				if writer == me {
					return 0, false
				}
			}
			c = c&^(readerMask<<24) | me<<24
		}
		if atomic.CompareAndSwapUint64(cell, old, c) {
			return 0, false
		}
		me = uint64(block) + 1
	}
}

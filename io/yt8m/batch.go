package yt8m

import (
	"slices"
	"sync"

	"avcu/io/largepages"
)

// A batch is filled slot by slot by several workers, and then read by one goroutine.
type batch struct {
	n       int            // slots in use, one a video
	pending sync.WaitGroup // slots not filled yet
	frames  int            // L
	dims    []int
	slots   [][]byte  // features of all slots: slots[m] is [batch size, L, dims[m]]
	marks   [][]int32 // labels of each slot: ascending, each once
	names   [][]byte  // id of each slot
	errs    []error   // what was wrong with the video of each slot
	tail    error     // what was met after the last slot in use

	// What Next hands out.
	features [][]byte
	offsets  []int32
	labels   []int32
	joined   []byte // all ids
	ids      []string
}

// reset makes b an empty batch with room for size videos. Its memory is allocated at the first.
func (b *batch) reset(size, frames int, dims []int) {
	b.n, b.tail = 0, nil
	if b.slots != nil {
		return
	}
	b.frames, b.dims = frames, dims
	b.marks, b.names, b.errs, b.ids = make([][]int32, size), make([][]byte, size), make([]error, size), make([]string, size)
	b.slots, b.features = make([][]byte, len(dims)), make([][]byte, len(dims))
	b.offsets = make([]int32, 0, size+1)
	for m, dim := range dims {
		b.slots[m] = largepages.Make(size * frames * dim)
	}
}

// fill puts the frames of v that index names, its labels and its id into a slot.
func (b *batch) fill(slot int, v *Video, index []int32) {
	for m, dim := range b.dims {
		to := b.slots[m][slot*b.frames*dim:]
		for l, i := range index {
			copy(to[l*dim:(l+1)*dim], v.Rows[m][i])
		}
	}
	marks := append(b.marks[slot][:0], v.Labels...)
	slices.Sort(marks)
	b.marks[slot] = slices.Compact(marks)
	b.names[slot] = append(b.names[slot][:0], v.ID...)
}

// err is the first error of b in the order of records.
func (b *batch) err() error {
	for _, err := range b.errs[:b.n] {
		if err != nil {
			return err
		}
	}
	return b.tail
}

// join sets what Next hands out. The ids are parts of one string, the only thing that is allocated for each batch.
func (b *batch) join() {
	b.joined = b.joined[:0]
	for _, name := range b.names[:b.n] {
		b.joined = append(b.joined, name...)
	}
	all, from := string(b.joined), 0
	for i, name := range b.names[:b.n] {
		b.ids[i] = all[from : from+len(name)]
		from += len(name)
	}
	b.labels, b.offsets = b.labels[:0], append(b.offsets[:0], 0)
	for _, marks := range b.marks[:b.n] {
		b.labels = append(b.labels, marks...)
		b.offsets = append(b.offsets, int32(len(b.labels)))
	}
	for m, dim := range b.dims {
		b.features[m] = b.slots[m][:b.n*b.frames*dim]
	}
}

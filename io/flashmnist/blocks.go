package flashmnist

import (
	"context"
	"sync"
	"sync/atomic"
)

// block is a run of consecutive videos.
type block struct {
	first  int
	videos int
	images []uint8 // [videos, 25, 784]
}

// blocks makes the videos 0 to count−1 with the given number of workers and hands them, in their order, to use, size at a
// time. While use works on one block the next is made. What use is given is its own until it returns.
func (v *Videos) blocks(ctx context.Context, count, size, workers int, use func(*block) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	free, full := make(chan *block, 2), make(chan *block)
	for range cap(free) {
		free <- &block{images: make([]uint8, size*Frames*Pixels)}
	}
	go func() {
		defer close(full)
		for first := 0; first < count; first += size {
			b := <-free // never long empty: use returns each block, or else the context has ended
			b.first, b.videos = first, min(size, count-first)
			b.images = b.images[:b.videos*Frames*Pixels]
			v.fill(b, workers)
			select {
			case full <- b:
			case <-ctx.Done():
				return
			}
		}
	}()

	var err error
	for b := range full {
		if err == nil && ctx.Err() == nil {
			err = use(b)
		}
		if err != nil {
			cancel()
		}
		free <- b
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// fill makes the videos of a block, each worker taking the next one that nobody has.
func (v *Videos) fill(b *block, workers int) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(workers, b.videos) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.videos; i = int(next.Add(1)) - 1 {
				v.Make(b.first+i, b.images[i*Frames*Pixels:(i+1)*Frames*Pixels])
			}
		})
	}
	wait.Wait()
}

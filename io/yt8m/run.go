package yt8m

import (
	"fmt"
	"io"
	"sync"
)

// A run is one epoch under way. A dispatcher walks the files, shuffles references to their records and gives each a slot in a
// batch; workers fill the slots; batches are handed out in their order. What ends it early is stop.
type run struct {
	s     *Source
	epoch int
	stop  chan struct{}
	once  sync.Once
	wg    sync.WaitGroup // all goroutines of the run

	jobs  chan job
	ready chan *batch // whose slots are all given out; closed after the last
	free  chan *batch
	err   error // what ended the epoch after the last batch; set before ready is closed

	lent  *batch // with the caller of next
	ended error  // what next returned last, if an error
}

// A job is one record to decode into one slot of a batch.
type job struct {
	record record
	batch  *batch
	slot   int
}

// A worker is what a decoding goroutine needs for itself.
type worker struct {
	decoder *Decoder
	buffer  []byte // a record read from its file
	video   Video
	index   []int32 // the frames sampled
}

func (s *Source) start(epoch int, skip int64) *run {
	r := &run{
		s: s, epoch: epoch,
		stop:  make(chan struct{}),
		jobs:  make(chan job, 4*len(s.workers)),
		ready: make(chan *batch, len(s.batches)),
		free:  make(chan *batch, len(s.batches)),
	}
	for _, b := range s.batches {
		r.free <- b
	}
	for _, w := range s.workers {
		r.wg.Go(func() { r.work(w) })
	}
	r.wg.Go(func() { r.dispatch(skip) })
	return r
}

// halt makes all goroutines of the run end.
func (r *run) halt() { r.once.Do(func() { close(r.stop) }) }

func (r *run) stopped() bool {
	select {
	case <-r.stop:
		return true
	default:
		return false
	}
}

// next takes back the batch that it lent last and lends the one after it.
func (r *run) next() (*batch, error) {
	if r.ended != nil {
		return nil, r.ended
	}
	if r.lent != nil {
		r.free <- r.lent
		r.lent = nil
	}
	b, err := r.await()
	if err != nil {
		r.ended = err
		r.halt()
		return nil, err
	}
	b.join()
	r.lent = b
	return b, nil
}

// await waits for the next batch and for all its slots.
func (r *run) await() (*batch, error) {
	select {
	case <-r.stop:
		return nil, errClosed
	case b, more := <-r.ready:
		switch {
		case more:
		case r.err != nil:
			return nil, r.err
		case r.stopped():
			return nil, errClosed
		default:
			return nil, io.EOF
		}
		b.pending.Wait() // ends on stop too: workers finish what they have been given
		if r.stopped() {
			return nil, errClosed
		}
		return b, b.err()
	}
}

// work fills slots until there are no more jobs.
func (r *run) work(w *worker) {
	for j := range r.jobs {
		if !r.stopped() {
			j.batch.errs[j.slot] = r.fill(w, &j)
		}
		r.s.buffers.give(j.record.data)
		j.batch.pending.Done()
	}
}

// fill decodes the record of a job, samples its frames and fills its slot.
func (r *run) fill(w *worker, j *job) error {
	in := r.s.inputs[j.record.file]
	if err := in.decode(w, j.record); err != nil {
		return err
	}
	if w.video.Frames > maxSampled {
		return fmt.Errorf("yt8m: %s: record %d: %d frames, more than the %d that can be sampled from: cut the video", in.name, j.record.number, w.video.Frames, maxSampled)
	}
	r.s.sampler.Fill(w.index, w.video.Frames, r.epoch, w.video.ID)
	j.batch.fill(j.slot, &w.video, w.index)
	return nil
}

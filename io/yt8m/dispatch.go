package yt8m

import "fmt"

// dispatch gives out the records of the epoch, and ends with it.
func (r *run) dispatch(skip int64) {
	defer close(r.ready)
	defer close(r.jobs)
	a := assembler{run: r, skip: skip}
	err := r.order(a.put)
	switch {
	case err != nil || r.stopped():
	case a.total == 0:
		err = r.s.noVideo()
	case a.total < skip:
		err = fmt.Errorf("yt8m: resume after video %d of epoch %d, which has %d: the data has changed since the checkpoint", skip, r.epoch, a.total)
	}
	if a.batch == nil {
		r.err = err
		return
	}
	a.batch.tail = err
	r.ready <- a.batch
}

// order hands over the records of the epoch in its order, until emit returns false.
func (r *run) order(emit func(record) bool) error {
	cfg := &r.s.cfg
	if !cfg.Shuffle {
		files := make([]int, len(r.s.inputs))
		for i := range files {
			files[i] = i
		}
		return r.walk(files, emit)
	}
	shuffle := newShuffler(cfg.ShuffleBuffer, r.s.held, cfg.Seed, r.epoch, emit)
	add := func(rec record) bool { return !r.stopped() && shuffle.add(rec) }
	if err := r.walk(shuffledFiles(len(r.s.inputs), cfg.Seed, r.epoch), add); err != nil {
		return err
	}
	if !r.stopped() {
		shuffle.flush()
	}
	return nil
}

// walk hands over the records of files in their order, until emit returns false. A few files ahead of the one that is
// listed are prepared at the same time; each is listed once it has been prepared.
func (r *run) walk(files []int, emit func(record) bool) error {
	s := r.s
	type preparation struct {
		*input
		done chan struct{}
	}
	ahead, done := make(chan preparation, s.cfg.Readers), make(chan struct{})
	defer close(done)
	r.wg.Go(func() {
		defer close(ahead)
		for _, i := range files {
			in := preparation{s.inputs[i], make(chan struct{})}
			select {
			case ahead <- in:
			case <-done:
				return
			}
			r.wg.Go(func() {
				defer close(in.done)
				if in.open(s.handles, s.buffers) == nil {
					in.prepare()
				}
			})
		}
	})
	for in := range ahead {
		<-in.done
		if r.stopped() {
			return nil
		}
		if err := in.open(s.handles, s.buffers); err != nil {
			return err
		}
		if err := in.list(emit); err != nil {
			return err
		}
	}
	return nil
}

// An assembler gives each record a slot in a batch, and to the workers.
type assembler struct {
	run   *run
	skip  int64  // records still to leave out
	total int64  // records seen
	batch *batch // with room, or nil
}

// put gives out one record; false: the run has been stopped.
func (a *assembler) put(rec record) bool {
	r := a.run
	a.total++
	if a.skip > 0 {
		a.skip--
		r.s.buffers.give(rec.data)
		return !r.stopped()
	}
	if a.batch == nil {
		select {
		case a.batch = <-r.free:
		case <-r.stop:
			return false
		}
		a.batch.reset(r.s.cfg.BatchSize, r.s.cfg.Frames, r.s.spec.Dims)
	}
	b := a.batch
	b.pending.Add(1)
	select {
	case r.jobs <- job{rec, b, b.n}:
	case <-r.stop:
		b.pending.Done()
		return false
	}
	b.n++
	if b.n == r.s.cfg.BatchSize {
		r.ready <- b
		a.batch = nil
	}
	return true
}

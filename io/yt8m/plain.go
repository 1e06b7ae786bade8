package yt8m

import (
	"sync"

	"avcu/io/tfrecord"
)

// A plain container is a TFRecord file that is not compressed: a framing-only pass lists it once and for all, and workers
// read its records where they lie.
type plain struct {
	name    string
	file    int
	handles *handles

	once    sync.Once
	lengths []uint32 // of the data of each record; tfrecord.MaxLength fits
	err     error    // what ended the framing after these records, or nil
}

func (p *plain) prepare() {
	p.once.Do(func() {
		p.err = tfrecord.Scan(p.name, func(_, length int64) bool {
			p.lengths = append(p.lengths, uint32(length))
			return true
		})
	})
}

func (p *plain) count() (int64, error) {
	p.prepare()
	return int64(len(p.lengths)), p.err
}

func (p *plain) list(emit func(record) bool) error {
	p.prepare()
	r := record{file: p.file}
	for i, length := range p.lengths {
		r.number, r.length = int64(i), int64(length)
		if !emit(r) {
			return nil
		}
		r.offset += tfrecord.HeaderSize + r.length + tfrecord.FooterSize
	}
	return p.err
}

func (p *plain) decode(w *worker, r record) error {
	h, err := p.handles.acquire(p.file, p.name)
	if err != nil {
		return err
	}
	at := tfrecord.Position{File: p.name, Record: r.number, Offset: r.offset}
	var data []byte
	data, w.buffer, err = tfrecord.ReadAt(h, at, r.length, w.buffer)
	p.handles.release(p.file)
	if err != nil {
		return err
	}
	if err := w.decoder.Decode(data, &w.video); err != nil {
		return located(at, err)
	}
	return nil
}

package yt8m

import (
	"io"
	"sync"

	"avcu/io/tfrecord"
)

// A compressed container is a TFRecord file in one gzip or zlib stream: it can only be read from its start to its end, so that
// listing it reads the data too.
type compressed struct {
	name    string
	file    int
	buffers *buffers

	once  sync.Once
	total int64
	err   error
}

func (c *compressed) prepare() {}

func (c *compressed) count() (int64, error) {
	c.once.Do(func() {
		c.err = tfrecord.Scan(c.name, func(_, _ int64) bool { c.total++; return true })
	})
	return c.total, c.err
}

func (c *compressed) list(emit func(record) bool) error {
	r, err := tfrecord.Open(c.name)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		data, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		at := r.Position()
		held := c.buffers.take(len(data))
		copy(held, data)
		if !emit(record{file: c.file, number: at.Record, offset: at.Offset, length: int64(len(data)), data: held}) {
			return nil
		}
	}
}

func (c *compressed) decode(w *worker, r record) error {
	if err := w.decoder.Decode(r.data, &w.video); err != nil {
		return located(tfrecord.Position{File: c.name, Record: r.number, Offset: r.offset}, err)
	}
	return nil
}

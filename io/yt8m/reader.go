package yt8m

import (
	"errors"
	"io"

	"avcu/io/pickle"
	"avcu/io/tfrecord"
)

// A Reader reads the videos of one file in their order. It is for one goroutine.
type Reader struct {
	records *tfrecord.Reader // nil for a pickle
	pickled pickledVideos
	file    *pickle.File // of the pickle
	decoder *Decoder
	video   Video
}

// Open opens the file name, whose videos must fit spec: a TFRecord file, plain or compressed, or a pickle of Paddle's, told
// by its content.
func Open(name string, spec Spec) (*Reader, error) {
	decoder, err := NewDecoder(spec)
	if err != nil {
		return nil, err
	}
	head, err := readHead(name)
	if err != nil {
		return nil, err
	}
	r := &Reader{decoder: decoder}
	if !isPickle(name, head) {
		if r.records, err = tfrecord.Open(name); err != nil {
			return nil, err
		}
		return r, nil
	}
	if r.file, err = pickle.Open(name); err != nil {
		return nil, err
	}
	r.pickled.name = name
	if r.pickled.items, err = videosOf(r.file.Value, name); err != nil {
		r.file.Close()
		return nil, err
	}
	r.file.Value = nil // an item goes as soon as it was read
	return r, nil
}

// Next returns the next video, valid until the next call, and io.EOF after the last. After an *Error, of a record that holds
// no video as it is wanted, reading can go on with the record after it; any other error is of the file, and stays.
func (r *Reader) Next() (*Video, error) {
	if r.records == nil {
		return r.pickled.next(r.decoder, &r.video)
	}
	data, err := r.records.Next()
	if err != nil {
		return nil, err
	}
	if err := r.decoder.Decode(data, &r.video); err != nil {
		return nil, located(r.records.Position(), err)
	}
	return &r.video, nil
}

// Each hands over the videos of the file name, which must fit spec, one after the other; each is valid until do returns. The
// first error, of the file or of do, ends it.
func Each(name string, spec Spec, do func(r *Reader, v *Video) error) error {
	r, err := Open(name, spec)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		v, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = do(r, v)
		}
		if err != nil {
			return err
		}
	}
}

// Position is that of the record that Next read last. In a pickle, the record's number is the video's and its offset is -1.
func (r *Reader) Position() tfrecord.Position {
	if r.records == nil {
		return tfrecord.Position{File: r.pickled.name, Record: r.pickled.at - 1, Offset: unknownOffset}
	}
	return r.records.Position()
}

// Pickled tells whether the file is a pickle.
func (r *Reader) Pickled() bool { return r.records == nil }

// Form is how a file of TFRecords is stored; tfrecord.Unknown for a pickle.
func (r *Reader) Form() tfrecord.Form {
	if r.records == nil {
		return tfrecord.Unknown
	}
	return r.records.Form()
}

// Close closes the file.
func (r *Reader) Close() error {
	if r.records == nil {
		return r.file.Close()
	}
	return r.records.Close()
}

// pickledVideos are the videos of a pickle, one after the other.
type pickledVideos struct {
	name   string
	items  []any
	at     int64 // the next one
	buffer []byte
	err    error // that stays
}

func (p *pickledVideos) next(d *Decoder, v *Video) (*Video, error) {
	if p.err != nil {
		return nil, p.err
	}
	if p.at == int64(len(p.items)) {
		return nil, io.EOF
	}
	item := p.items[p.at]
	p.items[p.at] = nil
	p.at++
	var err error
	p.buffer, err = d.unpickled(item, v, p.buffer)
	if err = locatedVideo(p.name, p.at-1, err); err == nil {
		return v, nil
	}
	if e := (*Error)(nil); !errors.As(err, &e) {
		p.err = err
	}
	return nil, err
}

// located adds the record's position to an error of Decode.
func located(at tfrecord.Position, err error) error {
	var e *DecodeError
	if errors.As(err, &e) {
		return &Error{Position: at, Err: e}
	}
	return err
}

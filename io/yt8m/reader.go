package yt8m

import (
	"errors"

	"avcu/io/tfrecord"
)

// A Reader reads the videos of one file in their order. It is for one goroutine.
type Reader struct {
	records *tfrecord.Reader
	decoder *Decoder
	video   Video
}

// Open opens the TFRecord file name, plain or compressed, whose videos must fit spec.
func Open(name string, spec Spec) (*Reader, error) {
	decoder, err := NewDecoder(spec)
	if err != nil {
		return nil, err
	}
	head, err := readHead(name)
	if err == nil && isPickle(head) {
		err = pickleError(name)
	}
	if err != nil {
		return nil, err
	}
	records, err := tfrecord.Open(name)
	if err != nil {
		return nil, err
	}
	return &Reader{records: records, decoder: decoder}, nil
}

// Next returns the next video, valid until the next call, and io.EOF after the last. After an *Error, of a record that holds
// no video as it is wanted, reading can go on with the record after it; any other error is of the file, and stays.
func (r *Reader) Next() (*Video, error) {
	data, err := r.records.Next()
	if err != nil {
		return nil, err
	}
	if err := r.decoder.Decode(data, &r.video); err != nil {
		return nil, located(r.records.Position(), err)
	}
	return &r.video, nil
}

// Position is that of the record that Next read last.
func (r *Reader) Position() tfrecord.Position { return r.records.Position() }

// Form is how the file is stored.
func (r *Reader) Form() tfrecord.Form { return r.records.Form() }

// Close closes the file.
func (r *Reader) Close() error { return r.records.Close() }

// located adds the record's position to an error of Decode.
func located(at tfrecord.Position, err error) error {
	var e *DecodeError
	if errors.As(err, &e) {
		return &Error{Position: at, Err: e}
	}
	return err
}

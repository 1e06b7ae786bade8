package tfrecord

import (
	"errors"
	"fmt"
)

// What can be wrong with a file; an *Error wraps one of them.
var (
	ErrNotTFRecord    = errors.New("not a TFRecord file")
	ErrTruncated      = errors.New("truncated")
	ErrLengthChecksum = errors.New("length checksum mismatch")
	ErrDataChecksum   = errors.New("data checksum mismatch")
	ErrTrailing       = errors.New("trailing garbage")
	ErrTooLong        = errors.New("record too long")
	ErrCompression    = errors.New("damaged compression")
	ErrChanged        = errors.New("file changed while it was in use")
)

// remedy says what to do about each of them.
func remedy(kind error) string {
	switch kind {
	case ErrNotTFRecord:
		return "expected TFRecord, plain or compressed with gzip or zlib, or a pickle of a list of videos: check the path and the kind of file"
	case ErrLengthChecksum:
		return "the record's header is damaged: copy or download the file again"
	case ErrCompression:
		return "copy or download the file again; or it is no compressed TFRecord at all: check the path and the kind of file"
	case ErrTrailing:
		return "cut the file at this offset, or copy or download it again"
	case ErrTooLong:
		return "write the file again in records under 2 GiB"
	case ErrChanged:
		return "leave the files alone while they are read, and start again"
	}
	return "copy or download the file again"
}

// A Position names a record.
type Position struct {
	File   string
	Record int64 // number of the record, from 0
	Offset int64 // byte offset of the record's start in the (decompressed) file
}

func (p Position) String() string {
	return fmt.Sprintf("%s: record %d at byte %d", p.File, p.Record, p.Offset)
}

// An Error is damage found in a file.
type Error struct {
	Position
	Err    error  // one of the errors of this package
	Detail string // what was found, or empty
	Cause  error  // what another layer said, or nil
}

func (e *Error) Error() string {
	s := "tfrecord: " + e.Position.String() + ": " + e.Err.Error()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s + " (" + remedy(e.Err) + ")"
}

// Unwrap gives errors.Is the kind of damage and its cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Cause}
}

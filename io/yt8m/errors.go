package yt8m

import (
	"fmt"

	"avcu/io/tfrecord"
)

// An Error is a record that is framed well, or an element of a pickle, but holds no video as it is wanted. In a pickle, the
// record's number is the video's and its offset is -1.
type Error struct {
	tfrecord.Position
	Err *DecodeError
}

func (e *Error) Error() string {
	at := ""
	if e.Err.At >= 0 {
		at = fmt.Sprintf(" (at byte %d)", e.Offset+tfrecord.HeaderSize+int64(e.Err.At))
	}
	place := e.Position.String()
	if e.Offset == unknownOffset {
		place = fmt.Sprintf("%s: video %d", e.File, e.Record)
	}
	return fmt.Sprintf("yt8m: %s: %s%s", place, e.Err.text(), at)
}

// Unwrap gives the DecodeError.
func (e *Error) Unwrap() error { return e.Err }

// A DecodeError says what is wrong with the data of one record.
type DecodeError struct {
	Feature string // the context feature or feature list it is about, or empty
	What    string // what was expected, what was found, and a remedy
	At      int    // byte of the data where it was found, or -1 where something is missing
}

func (e *DecodeError) Error() string {
	if e.At < 0 {
		return "yt8m: " + e.text()
	}
	return fmt.Sprintf("yt8m: %s (at byte %d of the record's data)", e.text(), e.At)
}

func (e *DecodeError) text() string {
	if e.Feature == "" {
		return e.What
	}
	return fmt.Sprintf("feature %q: %s", e.Feature, e.What)
}

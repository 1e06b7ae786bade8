package pickle

import (
	"errors"
	"fmt"
)

// What can be wrong with a file; an *Error wraps one of them.
var (
	ErrNotPickle   = errors.New("not a pickle")
	ErrTruncated   = errors.New("truncated")
	ErrDamaged     = errors.New("damaged pickle")
	ErrRefused     = errors.New("refused")
	ErrUnsupported = errors.New("not supported")
	ErrTooLarge    = errors.New("needs too much memory")
)

// remedy says what to do about each of them.
func remedy(kind error) string {
	switch kind {
	case ErrNotPickle:
		return "check the path and the kind of file"
	case ErrRefused:
		return "save only numbers, text, lists, dicts and NumPy arrays; if you did not make this file, do not unpickle it with Python either"
	case ErrUnsupported:
		return "save it again with Python as lists, dicts and NumPy arrays of numbers, pickle protocol 2 to 5"
	case ErrTooLarge:
		return "save the numbers again as NumPy arrays; if you did not make this file, it may be meant to exhaust memory"
	}
	return "copy or download the file again"
}

// An Error is what stopped the reading of a file.
type Error struct {
	File   string
	Offset int64  // of the opcode that could not be followed, or of the data that could not be read
	Err    error  // one of the errors of this package
	Detail string // what was found
	Cause  error  // what another layer said, or nil
}

func (e *Error) Error() string {
	s := fmt.Sprintf("pickle: %s: byte %d: %v", e.File, e.Offset, e.Err)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Cause != nil {
		return s + ": " + e.Cause.Error()
	}
	return s + " (" + remedy(e.Err) + ")"
}

// Unwrap gives errors.Is the kind of error and its cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Cause}
}

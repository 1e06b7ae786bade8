package pickle

import (
	"bytes"
	"fmt"
	"io"
)

// window is how much of the file is read at a time for opcodes and short values. Data of arrays is stepped over.
const window = 8 << 10

// input is the file as the machine goes through it.
type input struct {
	r    io.ReaderAt
	size int64
	buf  []byte // bytes base to base+len(buf) of the file
	base int64
	at   int64 // the next byte
}

// left returns the number of bytes from here to the end of the file.
func (in *input) left() int64 { return in.size - in.at }

// peek returns the next bytes, at least n if the file holds them and n is not over window; valid until the next call.
func (in *input) peek(n int64) ([]byte, error) {
	from := in.at - in.base
	if from < 0 || from > int64(len(in.buf)) || int64(len(in.buf))-from < min(n, in.left()) {
		in.base, from = in.at, 0
		if in.buf == nil {
			in.buf = make([]byte, min(window, in.size))
		}
		in.buf = in.buf[:min(window, in.left())]
		if got, err := in.r.ReadAt(in.buf, in.at); got < len(in.buf) {
			in.buf = in.buf[:0]
			return nil, readError(err)
		}
	}
	return in.buf[from:], nil
}

// readError is an error of the layer below. The file has the size that it had, so that an end before it is an error too.
func readError(err error) error {
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return &Error{Err: ErrTruncated, Detail: "it could not be read", Cause: err}
}

// take returns the next n bytes, n not over window; valid until the next call.
func (in *input) take(n int64) ([]byte, error) {
	if n > in.left() {
		return nil, in.short(n)
	}
	b, err := in.peek(n)
	if err != nil {
		return nil, err
	}
	in.at += n
	return b[:n], nil
}

// short is the error for a value of n bytes that the file does not hold.
func (in *input) short(n int64) error {
	return &Error{Err: ErrTruncated, Detail: fmt.Sprintf("%d more bytes are wanted here, but the file ends at byte %d", n, in.size)}
}

// line returns where the next line begins and its length without its end, and steps over it.
func (in *input) line() (at, n int64, err error) {
	at = in.at
	for in.left() > 0 {
		b, err := in.peek(1)
		if err != nil {
			return 0, 0, err
		}
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			n = in.at + int64(i) - at
			in.at += int64(i) + 1
			return at, n, nil
		}
		in.at += int64(len(b))
	}
	return 0, 0, &Error{Err: ErrTruncated, Detail: fmt.Sprintf("a line has no end, the file ends at byte %d", in.size)}
}

// shortLine returns the next line without its end, at most limit bytes of it; valid until the next call.
func (in *input) shortLine(limit int64) ([]byte, error) {
	at, n, err := in.line()
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, &Error{Err: ErrDamaged, Detail: fmt.Sprintf("a line of %d bytes where at most %d can stand", n, limit)}
	}
	end := in.at
	in.at = at
	b, err := in.peek(n)
	if err != nil {
		return nil, err
	}
	in.at = end
	return b[:n], nil
}

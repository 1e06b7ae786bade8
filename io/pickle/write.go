package pickle

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// An Encoder writes one value in protocol 2 as a stream: a list, tuple or dict takes a function that writes what stands in it.
// The first error ends the writing; Close returns it.
//
// Text and arrays are the same in Python 2 and 3. Bytes are bytes in Python 3 and str in Python 2. What Str writes is str in
// both, but bytes in Python 3 where pickle.load is told encoding='bytes', as Paddle's reader of feature files does.
type Encoder struct {
	w    *bufio.Writer
	memo map[string]int // by what was remembered
	text latinWriter
	err  error
}

// NewEncoder returns an Encoder that writes to w.
func NewEncoder(w io.Writer) *Encoder {
	e := &Encoder{w: bufio.NewWriterSize(w, 64<<10), memo: map[string]int{}}
	e.op("\x80\x02")
	return e
}

// Close ends the pickle and returns the first error of all that was written. It does not close the writer below.
func (e *Encoder) Close() error {
	e.op(".")
	if err := e.w.Flush(); e.err == nil {
		e.err = err
	}
	if e.err != nil {
		return fmt.Errorf("pickle: %w", e.err)
	}
	return nil
}

func (e *Encoder) op(s string) {
	if e.err == nil {
		_, e.err = e.w.WriteString(s)
	}
}

func (e *Encoder) number(op byte, n uint64, size int) {
	var b [9]byte
	b[0] = op
	binary.LittleEndian.PutUint64(b[1:], n)
	e.op(string(b[:1+size]))
}

// None writes None.
func (e *Encoder) None() { e.op("N") }

// Bool writes a bool.
func (e *Encoder) Bool(v bool) {
	if v {
		e.op("\x88")
	} else {
		e.op("\x89")
	}
}

// Int writes an int.
func (e *Encoder) Int(v int64) {
	switch {
	case 0 <= v && v <= math.MaxUint8:
		e.number('K', uint64(v), 1)
	case 0 <= v && v <= math.MaxUint16:
		e.number('M', uint64(v), 2)
	case math.MinInt32 <= v && v <= math.MaxInt32:
		e.number('J', uint64(v), 4)
	default:
		e.op("\x8a\x08")
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(v))
		e.op(string(b[:]))
	}
}

// Float writes a float.
func (e *Encoder) Float(v float64) {
	var b [9]byte
	b[0] = 'G'
	binary.BigEndian.PutUint64(b[1:], math.Float64bits(v))
	e.op(string(b[:]))
}

// Text writes text: unicode in Python 2.
func (e *Encoder) Text(s string) {
	if uint64(len(s)) > math.MaxUint32 {
		e.fail(fmt.Errorf("a string of %d bytes, longer than protocol 2 can hold", len(s)))
		return
	}
	e.number('X', uint64(len(s)), 4)
	e.op(s)
}

// Str writes a short string of ASCII characters that is str in both Python 2 and 3: the keys of feature files.
func (e *Encoder) Str(s string) {
	for _, c := range []byte(s) {
		if c >= 0x80 || len(s) > math.MaxUint8 {
			e.fail(fmt.Errorf("%q where a short string of ASCII is wanted", clip(s)))
			return
		}
	}
	e.number('U', uint64(len(s)), 1)
	e.op(s)
}

// Bytes writes bytes: str in Python 2.
func (e *Encoder) Bytes(b []byte) {
	e.latin(func(w io.Writer) error { _, err := w.Write(b); return err }, int64(len(b)))
}

// List writes a list of what items writes.
func (e *Encoder) List(items func()) { e.around("](", items, "e") }

// Tuple writes a tuple of what items writes.
func (e *Encoder) Tuple(items func()) { e.around("(", items, "t") }

// Dict writes a dict of what entries writes: keys and values by turns.
func (e *Encoder) Dict(entries func()) { e.around("}(", entries, "u") }

func (e *Encoder) around(before string, items func(), after string) {
	e.op(before)
	if e.err == nil {
		items()
	}
	e.op(after)
}

// Array writes an array of NumPy. data writes its elements, row-major and little-endian; it is called twice and must write
// the same both times, because their length as text stands before them.
func (e *Encoder) Array(of DType, shape []int, data func(w io.Writer) error) {
	bytes := int64(of.Size())
	if bytes == 0 {
		e.fail(fmt.Errorf("an array of the unknown type %q", of))
		return
	}
	for _, n := range shape {
		if n < 0 || n > 0 && bytes > math.MaxInt64/int64(n) {
			e.fail(fmt.Errorf("an array of the impossible shape %v", shape))
			return
		}
		bytes *= int64(n)
	}
	e.global("numpy.core.multiarray", "_reconstruct")
	e.global("numpy", "ndarray")
	e.op("K\x00\x85U\x01b\x87R")
	e.op("(K\x01")
	e.Tuple(func() {
		for _, n := range shape {
			e.Int(int64(n))
		}
	})
	e.dtype(of)
	e.op("\x89")
	e.latin(data, bytes)
	e.op("tb")
}

// once writes what write writes, or fetches it from the memo if it was written before.
func (e *Encoder) once(name string, write func()) {
	if i, ok := e.memo[name]; ok {
		e.number('h', uint64(i), 1)
		return
	}
	write()
	e.memo[name] = len(e.memo)
	e.number('q', uint64(e.memo[name]), 1)
}

func (e *Encoder) global(module, name string) {
	e.once(module+"."+name, func() { e.op("c" + module + "\n" + name + "\n") })
}

func (e *Encoder) dtype(of DType) {
	e.once(string(of), func() {
		order := "<"
		if of.Size() == 1 {
			order = "|"
		}
		e.global("numpy", "dtype")
		e.Text(of.code())
		e.op("K\x00K\x01\x87R(K\x03")
		e.Text(order)
		e.op("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")
	})
}

// latin writes bytes as Python 3 does in protocol 2: as text of the characters with their numbers, to be encoded again.
func (e *Encoder) latin(data func(io.Writer) error, bytes int64) {
	if e.err != nil {
		return
	}
	var count latinCounter
	if err := data(&count); err != nil {
		e.fail(err)
		return
	}
	if count.bytes != bytes {
		e.fail(fmt.Errorf("an array of %d bytes, but %d were written", bytes, count.bytes))
		return
	}
	if count.encoded > math.MaxUint32 {
		e.fail(fmt.Errorf("an array of %d bytes as text, longer than protocol 2 can hold: write another format, or the array in parts", count.encoded))
		return
	}
	e.global("_codecs", "encode")
	e.number('X', uint64(count.encoded), 4)
	if e.err != nil {
		return
	}
	e.text.w, e.text.encoded = e.w, 0
	err := data(&e.text)
	if err == nil && e.text.encoded != count.encoded {
		err = fmt.Errorf("the data of an array changed while it was written")
	}
	if err != nil {
		e.fail(err)
		return
	}
	e.Text("latin1")
	e.op("\x86R")
}

func (e *Encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// latinCounter counts bytes, and the bytes that their text takes.
type latinCounter struct{ bytes, encoded int64 }

func (c *latinCounter) Write(b []byte) (int, error) {
	c.bytes += int64(len(b))
	c.encoded += encodedLatin(b)
	return len(b), nil
}

// latinWriter writes bytes as text.
type latinWriter struct {
	w       io.Writer
	encoded int64
	buf     [2*chunk + 1]byte
}

func (l *latinWriter) Write(b []byte) (written int, err error) {
	for len(b) > 0 {
		part := b[:min(chunk, len(b))]
		n, err := l.w.Write(l.buf[:encodeLatin(l.buf[:], part)])
		l.encoded += int64(n)
		if err != nil {
			return written, err
		}
		written += len(part)
		b = b[len(part):]
	}
	return written, nil
}

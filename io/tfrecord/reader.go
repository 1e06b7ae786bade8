package tfrecord

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

const (
	readBuffer = 64 << 10  // bytes read at once where data is wanted
	scanBuffer = 4 << 10   // bytes read at once where only headers are: one page
	growStep   = 256 << 10 // bytes that a compressed file may claim before they are seen
)

// A Reader reads the records of one file in their order. It is for one goroutine.
type Reader struct {
	file   io.Closer
	in     *bufio.Reader
	seeker io.Seeker // the plain file, or nil for a compressed one
	form   Form
	size   int64    // bytes of the file, compressed ones where it is compressed
	at     Position // of the record that Next or Skip gave last
	next   Position // of the record after it
	data   []byte
	header [HeaderSize]byte
	err    error // what ended the reading
}

// Open opens the file name for reading, and tells by its content whether it is compressed. A file that is no TFRecord at
// all is an error of the first Next or Skip.
func Open(name string) (*Reader, error) { return open(name, readBuffer) }

func open(name string, buffer int) (*Reader, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("tfrecord: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("tfrecord: %w", err)
	}
	if !info.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("tfrecord: %s: not a regular file: give the path of a TFRecord file", name)
	}
	r, err := newReader(name, f, info.Size(), buffer)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.file = f
	return r, nil
}

// newReader reads the size bytes of f, which stands at its start.
func newReader(name string, f io.ReadSeeker, size int64, buffer int) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(f, buffer), size: size}
	r.at.File, r.next.File = name, name
	head, err := r.in.Peek(HeaderSize)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("tfrecord: %w", err)
	}
	r.form = Detect(head)
	var plain io.Reader
	switch r.form {
	case Gzip:
		plain, err = gzip.NewReader(r.in)
	case Zlib:
		plain, err = zlib.NewReader(r.in)
	default:
		r.seeker = f
		return r, nil
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, r.truncated("the head of the compressed stream is cut")
	}
	if err != nil {
		return nil, r.readError(err)
	}
	r.in = bufio.NewReaderSize(plain, readBuffer)
	return r, nil
}

// Form is how the file is stored.
func (r *Reader) Form() Form { return r.form }

// Position is that of the record that Next or Skip gave last.
func (r *Reader) Position() Position { return r.at }

// Close closes the file.
func (r *Reader) Close() error {
	r.err = os.ErrClosed
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// Next returns the data of the next record, its checksums verified; it is valid until the next call. The error after the
// last record is io.EOF; after any error the reading has ended.
func (r *Reader) Next() ([]byte, error) {
	length, err := r.readHeader()
	if err != nil {
		return nil, err
	}
	n := length + FooterSize
	for have := int64(0); have < n; {
		step := n
		if r.seeker == nil { // nothing bounds what the header claims: believe it as the bytes come
			step = min(n, have+max(have, growStep))
		}
		if int64(cap(r.data)) < step {
			r.data = append(make([]byte, 0, step), r.data[:have]...)
		}
		r.data = r.data[:step]
		got, err := io.ReadFull(r.in, r.data[have:])
		have += int64(got)
		if err != nil {
			return nil, r.fail(r.shortError(err, length, have))
		}
	}
	if binary.LittleEndian.Uint32(r.data[length:]) != checksum(r.data[:length]) {
		return nil, r.fail(&Error{Position: r.at, Err: ErrDataChecksum})
	}
	return r.data[:length], nil
}

// Skip steps over the next record, whose length checksum it verifies, and returns the length of its data. Of a plain file
// it does not read the data. Errors are those of Next, but for damage inside data.
func (r *Reader) Skip() (length int64, err error) {
	if length, err = r.readHeader(); err != nil {
		return 0, err
	}
	n := length + FooterSize
	if r.seeker == nil {
		for have := int64(0); have < n; {
			got, err := r.in.Discard(int(min(n-have, growStep)))
			have += int64(got)
			if err != nil {
				return 0, r.fail(r.shortError(err, length, have))
			}
		}
		return length, nil
	}
	if n <= int64(r.in.Buffered()) {
		_, err = r.in.Discard(int(n))
	} else if _, err = r.seeker.Seek(r.next.Offset, io.SeekStart); err == nil {
		r.in.Reset(r.seeker.(io.Reader))
	}
	if err != nil {
		return 0, r.fail(r.readError(err))
	}
	return length, nil
}

// readHeader reads the header of the next record, checks what it claims, and makes it the current record.
func (r *Reader) readHeader() (length int64, err error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := io.ReadFull(r.in, r.header[:])
	if err == io.EOF {
		return 0, r.fail(io.EOF)
	}
	r.at = r.next
	if err != nil {
		return 0, r.fail(r.headerError(err, n))
	}
	claimed, ok := parseHeader(r.header[:])
	if !ok {
		return 0, r.fail(r.badHeader())
	}
	if r.seeker != nil {
		if rest := uint64(r.size - r.at.Offset - HeaderSize); rest < FooterSize || claimed > rest-FooterSize {
			return 0, r.fail(r.truncated(claim(claimed, r.size)))
		}
	}
	if claimed > MaxLength {
		return 0, r.fail(&Error{Position: r.at, Err: ErrTooLong, Detail: fmt.Sprintf("it claims %d bytes of data", claimed)})
	}
	r.next.Record++
	r.next.Offset += HeaderSize + int64(claimed) + FooterSize
	return int64(claimed), nil
}

// fail makes err what the reading ended with.
func (r *Reader) fail(err error) error {
	r.err = err
	return err
}

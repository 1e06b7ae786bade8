package tfrecord

import (
	"errors"
	"fmt"
	"io"
)

// lookAhead is how many bytes after a bad header are searched for a good one, to tell a damaged header from garbage.
const lookAhead = 4 << 20

// badHeader is the error of the current record, whose length checksum does not hold. Where a good header follows somewhere
// it is this one that is damaged; else what follows are no records. It reads on: the reading has ended anyway.
func (r *Reader) badHeader() error {
	rest, err := io.ReadAll(io.LimitReader(r.in, lookAhead))
	if err != nil && r.seeker == nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return r.readError(err)
	}
	for i := 0; i+HeaderSize <= len(rest); i++ {
		if n, ok := parseHeader(rest[i:]); ok && n <= MaxLength {
			return &Error{Position: r.at, Err: ErrLengthChecksum}
		}
	}
	if r.at.Record > 0 {
		detail := fmt.Sprintf("the %d bytes after %d good records hold no record", int64(HeaderSize+len(rest)), r.at.Record)
		if len(rest) == lookAhead {
			detail = fmt.Sprintf("after %d good records no record follows", r.at.Record)
		}
		return &Error{Position: r.at, Err: ErrTrailing, Detail: detail}
	}
	detail := fmt.Sprintf("its first %d bytes are not the header of a record, and none follows", HeaderSize)
	if r.seeker == nil {
		detail += " in what it holds compressed"
	}
	return &Error{Position: r.at, Err: ErrNotTFRecord, Detail: detail}
}

// headerError describes err, met after n bytes of the header of the current record.
func (r *Reader) headerError(err error, n int) error {
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		return r.readError(err)
	}
	detail := fmt.Sprintf("the file ends at byte %d, inside the record's header", r.at.Offset+int64(n))
	if r.seeker != nil && r.at.Record == 0 {
		detail += ", or it is no TFRecord file"
	}
	return r.truncated(detail)
}

// shortError describes err, met after have bytes of the data (and its checksum) of the current record.
func (r *Reader) shortError(err error, length, have int64) error {
	if err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return r.readError(err)
	}
	end := r.at.Offset + HeaderSize + have
	if r.seeker != nil { // it was longer when it was opened
		return &Error{Position: r.at, Err: ErrChanged, Detail: fmt.Sprintf("it had %d bytes and now ends at byte %d", r.size, end)}
	}
	return r.truncated(claim(uint64(length), end))
}

// claim describes a record of length bytes of data in a file that ends at byte end.
func claim(length uint64, end int64) string {
	return fmt.Sprintf("it claims %d bytes of data and a checksum, but the file ends at byte %d", length, end)
}

// truncated is the error of a file that ends inside the current record.
func (r *Reader) truncated(detail string) error {
	if r.seeker == nil {
		detail += fmt.Sprintf("; offsets count decompressed bytes, the compressed file ends at byte %d", r.size)
	}
	return &Error{Position: r.at, Err: ErrTruncated, Detail: detail}
}

// readError is err of the file, or of the compressed stream in it.
func (r *Reader) readError(err error) error {
	if r.seeker == nil {
		return &Error{Position: r.at, Err: ErrCompression, Cause: err}
	}
	return fmt.Errorf("tfrecord: %s: %w", r.at, err)
}

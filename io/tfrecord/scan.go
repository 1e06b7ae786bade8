package tfrecord

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Scan calls visit with the byte offset and the data length of each record of the file name, in order, until visit returns
// false. It is a framing-only pass: length checksums are verified, the data of a plain file is not read, that of a
// compressed file is decompressed and dropped. Records before damage are visited before the error is returned.
func Scan(name string, visit func(offset, length int64) bool) error {
	r, err := open(name, scanBuffer)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		length, err := r.Skip()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !visit(r.at.Offset, length) {
			return nil
		}
	}
}

// ReadAt reads the record at a position of the plain file f, of which Scan has told that its data has length bytes, and
// verifies both checksums. The record is read into buf, grown where it must be; data lies in buffer and is valid until
// buffer is used again. It is safe to call for one file from several goroutines.
func ReadAt(f io.ReaderAt, at Position, length int64, buf []byte) (data, buffer []byte, err error) {
	n := int(HeaderSize + length + FooterSize)
	if cap(buf) < n {
		buf = make([]byte, n+n/4) // records of a file are about as long as each other
	}
	buf = buf[:n]
	if got, err := f.ReadAt(buf, at.Offset); err != nil && got < n {
		if err == io.EOF {
			return nil, buf, &Error{Position: at, Err: ErrChanged,
				Detail: fmt.Sprintf("it ends at byte %d, inside the record's %d bytes of data", at.Offset+int64(got), length)}
		}
		return nil, buf, fmt.Errorf("tfrecord: %s: %w", at, err)
	}
	if claimed, ok := parseHeader(buf); !ok || claimed != uint64(length) {
		return nil, buf, &Error{Position: at, Err: ErrChanged, Detail: fmt.Sprintf("the header of a record of %d bytes is gone", length)}
	}
	data = buf[HeaderSize : HeaderSize+length]
	if binary.LittleEndian.Uint32(buf[HeaderSize+length:]) != checksum(data) {
		return nil, buf, &Error{Position: at, Err: ErrDataChecksum}
	}
	return data, buf, nil
}

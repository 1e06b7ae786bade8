// Package tfrecord reads and writes TFRecord files, plain or compressed with gzip or zlib as a whole.
//
// A file is a sequence of records without a header. A record, little endian:
//
//	uint64 length
//	uint32 masked CRC-32C of the 8 bytes of length
//	byte   data[length]
//	uint32 masked CRC-32C of data
//
// with mask(c) = ((c >> 15) | (c << 17)) + 0xa282ead8 modulo 2^32 and the Castagnoli polynomial.
//
// Records are numbered from 0. The byte offset of a record is that of its length field; in a compressed file it counts
// decompressed bytes.
//
// Source: tensorflow/core/lib/io/record_writer.h and TensorFlow's guide "TFRecord and tf.train.Example".
package tfrecord

import (
	"encoding/binary"
	"hash/crc32"
)

const (
	HeaderSize = 12        // bytes of a record before its data
	FooterSize = 4         // bytes of a record after its data
	MaxLength  = 1<<31 - 1 // longest data of a record, in bytes: what a protobuf message may have
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is the masked CRC-32C of b.
func checksum(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// parseHeader returns the length of the data that follows the header h, and whether its checksum holds.
func parseHeader(h []byte) (length uint64, ok bool) {
	return binary.LittleEndian.Uint64(h), binary.LittleEndian.Uint32(h[8:]) == checksum(h[:8])
}

// putHeader writes the header of a record of length bytes into h.
func putHeader(h []byte, length int) {
	binary.LittleEndian.PutUint64(h, uint64(length))
	binary.LittleEndian.PutUint32(h[8:], checksum(h[:8]))
}

// A Form is what the first bytes of a file show it to be.
type Form int

const (
	Unknown Form = iota // neither records nor a compressed stream
	Plain               // records (an empty file is one, without records)
	Gzip                // a gzip stream
	Zlib                // a zlib stream
)

// Detect tells the form of a file by its first HeaderSize bytes (all of them where it has fewer). A valid record header
// decides first, as the length of a record may begin with the bytes that mark any other form.
func Detect(head []byte) Form {
	if len(head) >= HeaderSize {
		if _, ok := parseHeader(head); ok {
			return Plain
		}
	}
	switch {
	case len(head) == 0:
		return Plain
	case len(head) >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8:
		return Gzip
	case len(head) >= 2 && head[0]&0x0f == 8 && head[0]>>4 <= 7 && binary.BigEndian.Uint16(head)%31 == 0 && head[1]&0x20 == 0:
		return Zlib
	}
	return Unknown
}

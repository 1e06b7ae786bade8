package yt8m

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// A field is one protobuf field found in a record's data.
type field struct {
	num      protowire.Number
	typ      protowire.Type
	from, to int // its value is data[from:to]: the contents of a length-delimited field, the bytes of a number
}

// is tells whether f is the length-delimited field num. A known number with another wire type is an unknown field, as it
// is to every protobuf parser.
func (f *field) is(num protowire.Number) bool { return f.num == num && f.typ == protowire.BytesType }

// nextField reads the field at data[pos:end] into f and returns where the one after it begins. pos is before end.
func nextField(data []byte, pos, end int, f *field) (after int, err error) {
	// Nearly all fields: number below 16, length-delimited, shorter than 128 bytes or than 16 KiB.
	if tag := data[pos]; tag < 0x80 && tag&7 == byte(protowire.BytesType) && tag>>3 != 0 && end-pos >= 3 {
		n, from := int(data[pos+1]), pos+2
		if n >= 0x80 && data[pos+2] < 0x80 {
			n, from = n&0x7f|int(data[pos+2])<<7, pos+3
		}
		if (n < 0x80 || from == pos+3) && n <= end-from {
			f.num, f.typ, f.from, f.to = protowire.Number(tag>>3), protowire.BytesType, from, from+n
			return from + n, nil
		}
	}
	num, typ, n := protowire.ConsumeTag(data[pos:end])
	if n < 0 {
		return 0, malformed(n, pos, end)
	}
	f.num, f.typ, f.from = num, typ, pos+n
	if typ == protowire.BytesType {
		size, n := protowire.ConsumeVarint(data[f.from:end])
		if n < 0 {
			return 0, malformed(n, f.from, end)
		}
		f.from += n
		if size > uint64(end-f.from) {
			return 0, malformed(truncated, f.from, end)
		}
		f.to = f.from + int(size)
		return f.to, nil
	}
	n = protowire.ConsumeFieldValue(num, typ, data[f.from:end])
	if n < 0 {
		return 0, malformed(n, f.from, end)
	}
	f.to = f.from + n
	return f.to, nil
}

const truncated = -1 // protowire's code of a field that is cut, which it has no name for

// malformed is the error of protowire's code, met at byte at of a message that ends at byte end.
func malformed(code, at, end int) error {
	if code == truncated {
		return &DecodeError{At: end, What: "malformed protobuf: a message ends in the middle of a field; write the record again"}
	}
	what := strings.TrimSpace(strings.TrimPrefix(protowire.ParseError(code).Error(), "proto:")) // the space is now one, now another
	return &DecodeError{At: at, What: "malformed protobuf: " + what + "; write the record again"}
}

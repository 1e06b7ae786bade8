package pickle

import (
	"bytes"
	"io"
)

// kind is what a lazy value is in Python.
type kind int

const (
	kindBytes kind = iota
	kindText
	kindStr
)

func (k kind) String() string {
	return [...]string{"bytes", "a string", "a string of Python 2"}[k]
}

// longValue is the length from which strings and bytes stay in the file until it is known what they are for.
const longValue = 512

// blob is a run of bytes in a file, or in memory if r reads from there.
type blob struct {
	r     io.ReaderAt
	off   int64 // in r
	n     int64 // bytes as stored
	latin bool  // stored as UTF-8 of characters up to 255, each of which stands for a byte
}

// lazy is a long string or bytes on the machine's stack.
type lazy struct {
	what  kind
	data  blob
	value any // once it was loaded
}

// asBlob returns what v holds as bytes: bytes themselves, or a str of Python 2.
func asBlob(v any) (blob, bool) {
	var b []byte
	switch v := v.(type) {
	case []byte:
		b = v
	case Str:
		b = []byte(v)
	case *lazy:
		return v.data, v.what != kindText
	default:
		return blob{}, false
	}
	return blob{r: bytes.NewReader(b), n: int64(len(b))}, true
}

// fits reports whether the blob can hold n bytes; of one stored as UTF-8 only reading tells for certain.
func (b *blob) fits(n int64) bool {
	if b.latin {
		return b.n/2 <= n && n <= b.n
	}
	return n == b.n
}

// chunk is how much of a blob stored as UTF-8 is in memory beside its bytes.
const chunk = 32 << 10

// read reads the first len(dst) bytes; all says that there must not be more.
func (b *blob) read(dst []byte, all bool) error {
	if !b.latin {
		if int64(len(dst)) > b.n || all && int64(len(dst)) != b.n {
			return b.wrongLength(int64(len(dst)))
		}
		if got, err := b.r.ReadAt(dst, b.off); got < len(dst) {
			return readError(err)
		}
		return nil
	}
	buf := make([]byte, min(chunk, b.n))
	have, at := 0, int64(0)
	for have < len(dst) && at < b.n {
		part := buf[:min(int64(len(buf)), b.n-at)]
		if got, err := b.r.ReadAt(part, b.off+at); got < len(part) {
			return readError(err)
		}
		used, made, ok := decodeLatin(dst[have:], part)
		if !ok || used == 0 {
			return notLatin()
		}
		have += made
		at += int64(used)
	}
	if have < len(dst) || all && at != b.n {
		return b.wrongLength(int64(len(dst)))
	}
	return nil
}

func notLatin() error {
	return damaged("text that stands for bytes holds something else than characters up to 255")
}

func (b *blob) wrongLength(n int64) error {
	return damaged("an array of %d bytes, but its data is of another length", n)
}

// decodeLatin decodes UTF-8 of characters up to 255 from src into dst, which may begin where src does, until one of them ends,
// and returns how much of them it used. A character cut at the end of src is left. Weights are random: there are no branches
// on the data, and no byte waits for the one before it.
func decodeLatin(dst, src []byte) (used, made int, ok bool) {
	var bad, lead, odd byte // of the byte before: whether it is the first of two, and then whether it is 0xC3, not 0xC2
	for _, c := range src {
		if made >= len(dst) {
			break
		}
		used++
		high, second := c>>7, c>>6&1
		bad |= high&^second ^ lead // the second of two comes after a first, and nothing else does
		lead = high & second
		bad |= -lead & (c&0x3E ^ 0x02)
		dst[made] = c | odd<<6 // for a first, the place is written again
		odd = lead & c
		made += int(lead ^ 1)
	}
	return used - int(lead), made, bad == 0
}

// encodedLatin returns the length of b as UTF-8 of the characters that stand for its bytes.
func encodedLatin(b []byte) int64 {
	n := int64(len(b))
	for _, c := range b {
		n += int64(c >> 7)
	}
	return n
}

// encodeLatin writes to dst the UTF-8 of the characters that stand for the bytes of src, and returns its length. dst has room
// for one byte more than twice src.
func encodeLatin(dst, src []byte) int {
	n := 0
	for _, c := range src {
		two := c >> 7
		mask := -two
		to := (*[2]byte)(dst[n:])
		to[0] = c&^mask | mask&(0xC0|c>>6)
		to[1] = c & 0xBF
		n += 1 + int(two)
	}
	return n
}

package pickle

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Strings of protocol 0 are lines of text with escapes; they are decoded as they are met.

// escapes of a string of Python that stand for one byte.
var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', '\\': '\\', '\'': '\'', '"': '"', 'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v'}

// text reads the next line as a whole, with room for more behind it.
func (m *machine) text(room func(n int64) int64) ([]byte, error) {
	at, n, err := m.in.line()
	if err == nil {
		err = m.charge(n + room(n))
	}
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if got, err := m.in.r.ReadAt(b, at); got < len(b) {
		return nil, readError(err)
	}
	return b, nil
}

// pushDecoded pushes a string that was decoded into memory, which is the value's own from now on.
func (m *machine) pushDecoded(what kind, b []byte) error {
	if len(b) >= longValue {
		if err := m.charge(160); err != nil {
			return err
		}
		return m.push(&lazy{what: what, data: blob{r: bytes.NewReader(b), n: int64(len(b))}})
	}
	if err := m.charge(24 + int64(len(b))); err != nil {
		return err
	}
	v, err := valueOf(what, b)
	if err != nil {
		return err
	}
	return m.push(v)
}

// quoted reads a str of Python 2 as its repr shows it.
func (m *machine) quoted(byte) error {
	b, err := m.text(func(int64) int64 { return 0 })
	if err != nil {
		return err
	}
	b = bytes.TrimRight(b, " \t\r")
	if n := len(b); n < 2 || b[0] != b[n-1] || b[0] != '\'' && b[0] != '"' {
		return damaged("a string without its quotes")
	}
	in, out := b[1:len(b)-1], b[:0]
	for i := 0; i < len(in); {
		c := in[i]
		i++
		if c != '\\' {
			out = append(out, c)
			continue
		}
		if i == len(in) {
			return damaged("a string ends in a backslash")
		}
		e := in[i]
		i++
		one, known := escapes[e]
		switch {
		case known:
			out = append(out, one)
		case e == 'x':
			v, err := strconv.ParseUint(string(in[i:min(i+2, len(in))]), 16, 8)
			if err != nil || i+2 > len(in) {
				return damaged(`a string holds \x without two digits`)
			}
			out = append(out, byte(v))
			i += 2
		case '0' <= e && e <= '7':
			v := int(e - '0')
			for end := min(i+2, len(in)); i < end && '0' <= in[i] && in[i] <= '7'; i++ {
				v = 8*v + int(in[i]-'0')
			}
			out = append(out, byte(v))
		default: // Python leaves what it does not know
			out = append(out, '\\', e)
		}
	}
	return m.pushDecoded(kindStr, out)
}

// escaped reads text with \u and \U for the characters past 255 and a few others; the rest are bytes of Latin-1.
func (m *machine) escaped(byte) error {
	in, err := m.text(encodedLimit)
	if err != nil {
		return err
	}
	out := make([]byte, 0, encodedLimit(int64(len(in))))
	for i := 0; i < len(in); {
		r, size, ok := unescape(in[i:])
		if utf16.IsSurrogate(r) && ok {
			low, lowSize, lowOK := unescape(in[i+size:])
			r, ok = utf16.DecodeRune(r, low), lowOK
			size += lowSize
			ok = ok && r != utf8.RuneError
		}
		if !ok {
			return damaged("text holds an escape that is no character")
		}
		out = utf8.AppendRune(out, r)
		i += size
	}
	return m.pushDecoded(kindText, out)
}

// encodedLimit is the most that n bytes of escaped text take as UTF-8.
func encodedLimit(n int64) int64 { return 2 * n }

// unescape returns the first character of escaped text and its length there.
func unescape(in []byte) (r rune, size int, ok bool) {
	if len(in) == 0 {
		return 0, 0, false
	}
	if in[0] == '\\' && len(in) > 1 && (in[1] == 'u' || in[1] == 'U') {
		size = 6
		if in[1] == 'U' {
			size = 10
		}
		if len(in) < size {
			return 0, 0, false
		}
		v, err := strconv.ParseUint(string(in[2:size]), 16, 32)
		return rune(v), size, err == nil && v <= utf8.MaxRune
	}
	return rune(in[0]), 1, true
}

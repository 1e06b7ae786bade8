package pickle

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxDigits is the longest integer in decimal, as in Python 3; maxLong is the longest in binary, a little more.
const (
	maxDigits = 4300
	maxLong   = 2048
)

// integer reads a signed number of four bytes, or an unsigned one of one or two.
func (m *machine) integer(op byte) error {
	size := map[byte]int64{'J': 4, 'K': 1, 'M': 2}[op]
	n, err := m.unsigned(size)
	if op == 'J' {
		n = int64(int32(n))
	}
	if err == nil {
		err = m.charge(8)
	}
	if err != nil {
		return err
	}
	return m.push(n)
}

// integerText reads a line with an integer; of INT, 00 and 01 are False and True.
func (m *machine) integerText(op byte) error {
	if op == 'I' {
		if b, err := m.in.peek(3); err == nil && len(b) >= 3 && b[0] == '0' && (b[1] == '0' || b[1] == '1') && b[2] == '\n' {
			m.in.at += 3
			return m.push(b[1] == '1')
		}
	}
	v, err := m.decimal()
	if err != nil {
		return err
	}
	return m.push(v)
}

// decimal reads a line with an integer, with an L behind or without.
func (m *machine) decimal() (any, error) {
	line, err := m.in.shortLine(maxDigits + 2)
	if err == nil {
		err = m.charge(8 + 2*int64(len(line)))
	}
	if err != nil {
		return nil, err
	}
	text := string(line)
	if n := len(text); n > 0 && text[n-1] == 'L' {
		text = text[:n-1]
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	} else if !errors.Is(err, strconv.ErrRange) {
		return nil, damaged("%q is not an integer", clip(text))
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, damaged("%q is not an integer", clip(text))
	}
	return n, nil
}

// clip shortens text for a message.
func clip(text string) string {
	if len(text) > 60 {
		return text[:60] + "…"
	}
	return text
}

// long reads an integer in two's complement, least byte first, after its length in one or four bytes.
func (m *machine) long(op byte) error {
	n, err := m.unsigned(map[byte]int64{0x8a: 1, 0x8b: 4}[op])
	if err != nil {
		return err
	}
	if n > maxLong {
		return unsupported("an integer of %d bytes, the longest read is %d", n, maxLong)
	}
	b, err := m.in.take(n)
	if err == nil {
		err = m.charge(8 + 4*n)
	}
	if err != nil {
		return err
	}
	return m.push(twosComplement(b))
}

// twosComplement returns the integer that b holds, least byte first.
func twosComplement(b []byte) any {
	if len(b) <= 8 {
		var word [8]byte
		if len(b) > 0 && b[len(b)-1] >= 0x80 {
			word = [8]byte{255, 255, 255, 255, 255, 255, 255, 255}
		}
		copy(word[:], b)
		return int64(binary.LittleEndian.Uint64(word[:]))
	}
	high := slices.Clone(b)
	slices.Reverse(high)
	v := new(big.Int).SetBytes(high)
	if high[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if v.IsInt64() {
		return v.Int64()
	}
	return v
}

func (m *machine) floatText(byte) error {
	line, err := m.in.shortLine(1 << 10)
	if err == nil {
		err = m.charge(8)
	}
	if err != nil {
		return err
	}
	v, err := strconv.ParseFloat(string(line), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return damaged("%q is not a number", clip(string(line)))
	}
	return m.push(v)
}

func (m *machine) float(byte) error {
	b, err := m.in.take(8)
	if err == nil {
		err = m.charge(8)
	}
	if err != nil {
		return err
	}
	return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
}

// stringOf reads a string or bytes after its length in size bytes. Long ones stay in the file.
func stringOf(what kind, size int64) func(*machine, byte) error {
	return func(m *machine, _ byte) error {
		n, err := m.unsigned(size)
		if err != nil {
			return err
		}
		if n > m.in.left() {
			return m.in.short(n)
		}
		if n >= longValue {
			if err := m.charge(96); err != nil {
				return err
			}
			v := &lazy{what: what, data: blob{r: m.in.r, off: m.in.at, n: n}}
			m.in.at += n
			return m.push(v)
		}
		b, err := m.in.take(n)
		if err == nil {
			err = m.charge(24 + 2*n)
		}
		if err != nil {
			return err
		}
		v, err := valueOf(what, slices.Clone(b))
		if err != nil {
			return err
		}
		return m.push(v)
	}
}

// valueOf returns the value of its kind that b holds; b is the value's own from then on.
func valueOf(what kind, b []byte) (any, error) {
	switch what {
	case kindStr:
		return Str(b), nil
	case kindText:
		if !utf8.Valid(b) {
			return nil, damaged("a string is not UTF-8")
		}
		return string(b), nil
	}
	return b, nil
}

package safetensors

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// jsonText is a JSON text, known to be valid, that is read from front to back. What it returns lies in the text wherever it
// can: a header may be of many short names, each of which costs Go's decoder some 50 times its size.
type jsonText struct {
	text string
	at   int
}

// peek steps over white space and returns the byte that comes next.
func (j *jsonText) peek() byte {
	for {
		switch c := j.text[j.at]; c {
		case ' ', '\t', '\r', '\n':
			j.at++
		default:
			return c
		}
	}
}

// object calls member for every name of the object that comes next; member must step over the name's value.
func (j *jsonText) object(member func(name string) error) error {
	if j.peek() != '{' {
		return j.wanted("an object")
	}
	j.at++
	for j.peek() != '}' {
		if j.text[j.at] == ',' {
			j.at++
			j.peek()
		}
		name := unescape(j.quoted())
		j.peek()
		j.at++ // the colon
		if err := member(name); err != nil {
			return err
		}
	}
	j.at++
	return nil
}

// members counts the members of the object that comes next, and leaves it there. Anything else has none.
func (j *jsonText) members() (n int) {
	again := *j
	_ = again.object(func(string) error { n++; again.value(); return nil })
	return n
}

// string returns the string that comes next; ok: it is one.
func (j *jsonText) string() (s string, ok bool) {
	if j.peek() != '"' {
		return "", false
	}
	return unescape(j.quoted()), true
}

// sizes reads an array of at most limit whole numbers that are not negative.
func (j *jsonText) sizes(limit int) ([]int, error) {
	if j.peek() != '[' {
		return nil, j.wanted("an array")
	}
	j.at++
	again := *j
	n := 0
	for ; again.peek() != ']'; n++ {
		if again.text[again.at] == ',' {
			again.at++
		}
		again.value()
	}
	if n > limit {
		return nil, fmt.Errorf("more than %d numbers", limit)
	}
	list := make([]int, n)
	for i := range list {
		if j.peek() == ',' {
			j.at++
		}
		number := j.value()
		size, err := strconv.ParseUint(number, 10, strconv.IntSize-1)
		if err != nil {
			return nil, fmt.Errorf("%.40s is not a whole number from 0 to 2^63-1", number)
		}
		list[i] = int(size)
	}
	j.peek()
	j.at++ // the bracket
	return list, nil
}

// value steps over the value that comes next and returns its text.
func (j *jsonText) value() string {
	j.peek()
	from, depth := j.at, 0
	for {
		switch j.peek() {
		case '"':
			j.quoted()
		case '{', '[':
			depth++
			j.at++
		case '}', ']':
			depth--
			j.at++
		case ',', ':':
			j.at++
		default: // a number, true, false or null: it ends inside an object
			j.at += strings.IndexAny(j.text[j.at:], ",:]} \t\r\n")
		}
		if depth == 0 {
			return j.text[from:j.at]
		}
	}
}

// quoted steps over the string that comes next and returns what stands between its quotes.
func (j *jsonText) quoted() string {
	from := j.at + 1
	for j.at = from; j.text[j.at] != '"'; j.at++ {
		if j.text[j.at] == '\\' {
			j.at++
		}
	}
	j.at++
	return j.text[from : j.at-1]
}

// wanted is the error for a value that is not what should come next.
func (j *jsonText) wanted(what string) error {
	c := j.peek()
	found := string(c)
	if c != '{' && c != '[' {
		found = j.value()
	}
	return fmt.Errorf("header: %.40s where %s should stand", found, what)
}

// unescape is the string that stands between quotes as s.
func unescape(s string) string {
	plain, rest, ok := strings.Cut(s, `\`)
	if !ok {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for ; ok; plain, rest, ok = strings.Cut(rest, `\`) {
		b.WriteString(plain)
		c := rest[0]
		rest = rest[1:]
		if i := strings.IndexByte("bfnrt", c); i >= 0 {
			b.WriteByte("\b\f\n\r\t"[i])
			continue
		}
		if c != 'u' { // a quote or a slash
			b.WriteByte(c)
			continue
		}
		r := hexRune(rest)
		rest = rest[4:]
		if utf16.IsSurrogate(r) && strings.HasPrefix(rest, `\u`) {
			if pair := utf16.DecodeRune(r, hexRune(rest[2:])); pair != '\ufffd' {
				r, rest = pair, rest[6:]
			}
		}
		b.WriteRune(r) // half a pair becomes U+FFFD
	}
	b.WriteString(plain)
	return b.String()
}

// hexRune is the number that the first four digits of s write.
func hexRune(s string) rune {
	n, _ := strconv.ParseUint(s[:4], 16, 16)
	return rune(n)
}

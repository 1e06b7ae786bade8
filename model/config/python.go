package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parsePython reads the literals of Python that a configuration needs: numbers, quoted texts, True, False, None, and lists or
// tuples of these. A comment may follow, and stand in a list. Nothing is ever computed: 2 * 128 is an error.
//
// A text that begins as no literal does is taken as it stands up to a comment, as Paddle's reader does with file names
// that somebody forgot to quote. Nothing at all is null.
func parsePython(text string) (value, error) {
	p := &python{text: text}
	p.space()
	if p.rest() == "" {
		return value{scalars: []scalar{{text: "null"}}}, nil
	}
	v, err := p.literal()
	if err == nil {
		return v, nil
	}
	if strings.ContainsRune(`'"[({`, rune(p.text[p.start])) {
		return value{}, fmt.Errorf("the value %.100q is not a Python literal: %w", text, err)
	}
	plain, _, _ := strings.Cut(p.text[p.start:], " #")
	return value{scalars: []scalar{{text: strings.TrimSpace(plain)}}}, nil
}

// python is a reader of literals that stands at a byte of a text.
type python struct {
	text  string
	at    int
	start int // of the literal
}

func (p *python) rest() string { return p.text[p.at:] }

// take steps over a text if it comes next.
func (p *python) take(text string) bool {
	if !strings.HasPrefix(p.rest(), text) {
		return false
	}
	p.at += len(text)
	return true
}

// space steps over white space, ends of lines and comments.
func (p *python) space() {
	for {
		p.at = len(p.text) - len(strings.TrimLeft(p.rest(), " \t\r\n\f"))
		if !strings.HasPrefix(p.rest(), "#") {
			return
		}
		if end := strings.IndexByte(p.rest(), '\n'); end >= 0 {
			p.at += end
		} else {
			p.at = len(p.text)
		}
	}
}

func (p *python) expected(what string) error {
	if p.rest() == "" {
		return fmt.Errorf("it ends where %s should come", what)
	}
	return fmt.Errorf("%.20q stands where %s should come", p.rest(), what)
}

// literal reads all of the text: one value, a list in brackets, or several values that make a tuple without them.
func (p *python) literal() (v value, err error) {
	p.start = p.at
	switch {
	case p.take("["):
		v, err = p.list("]")
	case p.take("("):
		v, err = p.list(")")
	default:
		v, err = p.list("")
	}
	if err != nil {
		return value{}, err
	}
	if p.space(); p.rest() != "" {
		return value{}, p.expected("the end")
	}
	return v, nil
}

// list reads values up to the closing bracket. One value is no list without square brackets or a comma.
func (p *python) list(closing string) (value, error) {
	v := value{isList: closing == "]"}
	for {
		p.space()
		if done := closing == "" && p.rest() == ""; done || closing != "" && p.take(closing) {
			v.isList = v.isList || len(v.scalars) == 0
			return v, nil
		}
		s, err := p.scalar()
		if err != nil {
			return value{}, err
		}
		v.scalars = append(v.scalars, s)
		p.space()
		switch {
		case p.take(","):
			v.isList = true
		case closing == "" && p.rest() == "":
		case !strings.HasPrefix(p.rest(), closing) || closing == "":
			return value{}, p.expected("a comma or the end of the list")
		}
	}
}

// scalar reads a number, a word or texts, which are joined if they stand side by side.
func (p *python) scalar() (scalar, error) {
	if p.rest() == "" || strings.ContainsAny(p.rest()[:1], "[({") {
		return scalar{}, p.expected("a number, a quoted text, True, False or None")
	}
	if raw, ok := p.quoteNext(); ok {
		var b strings.Builder
		for ; ok; raw, ok = p.quoteNext() {
			if err := p.quoted(&b, raw); err != nil {
				return scalar{}, err
			}
			p.space()
		}
		if text := b.String(); !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return scalar{}, errors.New("a text is not UTF-8, or holds a zero byte")
		}
		return scalar{text: b.String(), quoted: true}, nil
	}
	end := strings.IndexAny(p.rest(), ",[](){} \t\r\n\f#'\"")
	if end < 0 {
		end = len(p.rest())
	}
	word := p.rest()[:end]
	switch word {
	case "None":
		p.at += end
		return scalar{text: word}, nil
	case "True", "False":
		p.at += end
		return scalar{text: word, typed: true}, nil
	}
	number, ok := pythonNumber(word)
	if !ok {
		return scalar{}, fmt.Errorf("%w (a calculation? write its result)", p.expected("a number, a quoted text, True, False or None"))
	}
	p.at += end
	return scalar{text: number, typed: true}, nil
}

// pythonNumber is a number of Python's in decimal digits.
func pythonNumber(word string) (string, bool) {
	unsigned := strings.TrimLeft(word, "+-")
	if len(word)-len(unsigned) > 1 || unsigned == "" || strings.IndexByte(".0123456789", unsigned[0]) < 0 {
		return "", false // so inf and nan, which are names in Python, are none
	}
	digits := strings.Trim(unsigned, "0123456789_") == ""
	if digits && len(unsigned) > 1 && unsigned[0] == '0' && strings.Trim(unsigned, "0_") != "" {
		return "", false // octal in Python 2 and wrong in Python 3
	}
	if n, err := strconv.ParseInt(strings.TrimRight(word, "lL"), 0, 64); err == nil {
		return strconv.FormatInt(n, 10), true
	}
	if strings.ContainsAny(word, "xXpP") || strings.Contains(word, "_") {
		return "", false
	}
	if _, err := strconv.ParseFloat(word, 64); err != nil && !errors.Is(err, strconv.ErrRange) {
		return "", false
	}
	return word, true
}

// quoteNext reports that a quoted text comes next and steps over its prefix; raw: without escapes.
func (p *python) quoteNext() (raw, ok bool) {
	prefix := len(p.rest()) - len(strings.TrimLeft(p.rest(), "uUrRbB"))
	quote := strings.TrimLeft(p.rest(), "uUrRbB")
	if prefix > 2 || quote == "" || quote[0] != '\'' && quote[0] != '"' {
		return false, false
	}
	raw = strings.ContainsAny(p.rest()[:prefix], "rR")
	p.at += prefix
	return raw, true
}

// quoted adds a text to b, from its opening quotes to its closing ones.
func (p *python) quoted(b *strings.Builder, raw bool) error {
	quote := p.rest()[:1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(p.rest(), triple) {
		quote = triple
	}
	p.at += len(quote)
	for !p.take(quote) {
		c := p.rest()
		switch {
		case c == "" || c[0] == '\n' && len(quote) == 1:
			return fmt.Errorf("a text lacks its closing %s", quote)
		case c[0] == '\\' && len(c) > 1 && raw:
			b.WriteString(c[:2])
			p.at += 2
		case c[0] == '\\' && len(c) > 1:
			if err := p.escape(b); err != nil {
				return err
			}
		default:
			b.WriteByte(c[0])
			p.at++
		}
	}
	return nil
}

// escape adds what a backslash and the characters behind it mean.
func (p *python) escape(b *strings.Builder) error {
	c := p.rest()[1]
	if i := strings.IndexByte(`\'"abfnrtv`, c); i >= 0 {
		b.WriteByte("\\'\"\a\b\f\n\r\t\v"[i])
		p.at += 2
		return nil
	}
	digits, base := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c], 16
	from := p.at + 2
	switch {
	case c == '\n': // the line goes on
		p.at += 2
		return nil
	case c == 'N':
		return errors.New(`\N{…} is not understood: write the character itself`)
	case c >= '0' && c <= '7':
		from, digits, base = p.at+1, 1, 8
		for digits < 3 && from+digits < len(p.text) && p.text[from+digits] >= '0' && p.text[from+digits] <= '7' {
			digits++
		}
	case digits == 0: // Python keeps the backslash
		b.WriteByte('\\')
		p.at++
		return nil
	}
	to := min(from+digits, len(p.text))
	code, err := strconv.ParseUint(p.text[from:to], base, 32)
	if err != nil || to-from < digits || code > utf8.MaxRune || !utf8.ValidRune(rune(code)) {
		return fmt.Errorf("%q is no character", p.text[p.at:to])
	}
	b.WriteRune(rune(code))
	p.at = to
	return nil
}

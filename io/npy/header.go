package npy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseHeader reads the dict of a header, such as {'descr': '<f4', 'fortran_order': False, 'shape': (300, 1024), }.
func parseHeader(text string) (h header, err error) {
	p := &parser{text}
	seen := map[string]bool{}
	err = p.sequence("{", "}", func() error {
		key, err := p.quoted()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("%q comes twice", key)
		}
		seen[key] = true
		if !p.take(":") {
			return p.expected("a colon")
		}
		switch key {
		case "descr":
			if p.next("[") {
				return errors.New("an array of records is not supported: save its columns, each as an array of its own")
			}
			descr, err := p.quoted()
			if err != nil {
				return err
			}
			return h.setType(descr)
		case "fortran_order":
			h.fortran = p.take("True")
			if !h.fortran && !p.take("False") {
				return p.expected("True or False")
			}
			return nil
		case "shape":
			return p.sequence("(", ")", func() error {
				n, err := p.size()
				h.shape = append(h.shape, n)
				return err
			})
		}
		return fmt.Errorf("%.40q is no key of a header", key)
	})
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = p.expected("the end")
	}
	if err == nil && len(seen) != 3 {
		err = errors.New("it must hold descr, fortran_order and shape")
	}
	if err != nil {
		return h, fmt.Errorf("the header cannot be read: %w", err)
	}
	return h, nil
}

// parser reads the few forms of Python that a header has.
type parser struct{ rest string }

// next skips white space and reports that a text comes next.
func (p *parser) next(text string) bool {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	return strings.HasPrefix(p.rest, text)
}

// take is next, and steps over the text.
func (p *parser) take(text string) bool {
	ok := p.next(text)
	if ok {
		p.rest = p.rest[len(text):]
	}
	return ok
}

func (p *parser) expected(what string) error {
	return fmt.Errorf("%.20q stands where %s should come", p.rest, what)
}

// sequence reads items between brackets, with commas between them and perhaps one behind.
func (p *parser) sequence(opening, closing string, item func() error) error {
	if !p.take(opening) {
		return p.expected(opening)
	}
	for !p.take(closing) {
		if err := item(); err != nil {
			return err
		}
		if !p.take(",") && !p.next(closing) {
			return p.expected("a comma or " + closing)
		}
	}
	return nil
}

// quoted reads a text without escapes.
func (p *parser) quoted() (string, error) {
	if !p.next("'") && !p.next(`"`) {
		return "", p.expected("a quoted text")
	}
	text, rest, ok := strings.Cut(p.rest[1:], p.rest[:1])
	if !ok || strings.Contains(text, `\`) {
		return "", p.expected("a plain quoted text")
	}
	p.rest = rest
	return text, nil
}

// size reads a number from 0, with the L of Python 2 perhaps.
func (p *parser) size() (int, error) {
	p.next("")
	digits := len(p.rest) - len(strings.TrimLeft(p.rest, "0123456789"))
	n, err := strconv.ParseInt(p.rest[:digits], 10, strconv.IntSize)
	if err != nil {
		return 0, p.expected("a whole number of at most 2^63-1")
	}
	p.rest = strings.TrimPrefix(p.rest[digits:], "L")
	return int(n), nil
}

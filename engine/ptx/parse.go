package ptx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// parser of a module. Its errors begin with the line.
type parser struct {
	tokens []token
	at     int
	module *Module
}

func (p *parser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at].text
	}
	return ""
}

func (p *parser) next() string {
	t := p.peek()
	p.at++
	return t
}

func (p *parser) line() int {
	if len(p.tokens) == 0 {
		return 1
	}
	return p.tokens[min(p.at, len(p.tokens)-1)].line
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("%d: %w", p.line(), fmt.Errorf(format, args...))
}

func (p *parser) accept(text string) bool {
	if p.at < len(p.tokens) && p.peek() == text {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(text string) error {
	if !p.accept(text) {
		return p.errorf("%q where %q belongs", p.peek(), text)
	}
	return nil
}

func (p *parser) parseModule() error {
	for p.at < len(p.tokens) {
		var err error
		switch t := p.next(); t {
		case ".version", ".address_size":
			if v := p.next(); t == ".address_size" && v != "64" {
				p.at--
				err = p.errorf("addresses of %s bits", v)
			}
		case ".target":
			p.next()
			for p.accept(",") {
				p.next()
			}
		case ".visible", ".weak", ".extern":
		case ".entry":
			err = p.parseEntry()
		case ".global", ".const", ".shared":
			err = p.parseModuleVariable(t)
		case ".pragma":
			p.next()
			err = p.expect(";")
		default:
			p.at--
			err = p.errorf("%q is not in the subset of this virtual machine", t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) parseModuleVariable(directive string) error {
	v, err := p.parseVariable()
	if err != nil {
		return err
	}
	v.space = global
	if directive == ".shared" {
		v.space = shared
	} else {
		p.module.globals = append(p.module.globals, v)
	}
	p.module.names[v.name] = v
	return nil
}

// typeBits is the size of a type in bits.
func typeBits(name string) (bits int, ok bool) {
	switch name {
	case "pred":
		return 1, true
	case "b8", "u8", "s8":
		return 8, true
	case "b16", "u16", "s16":
		return 16, true
	case "b32", "u32", "s32", "f32":
		return 32, true
	case "b64", "u64", "s64", "f64":
		return 64, true
	}
	return 0, false
}

func (p *parser) number() (uint64, error) {
	negative := p.accept("-")
	text := strings.TrimSuffix(p.peek(), "U")
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return 0, p.errorf("%q is not a number", p.peek())
	}
	p.at++
	if negative {
		n = -n
	}
	return n, nil
}

// maxVariable is the most bytes that a variable may have.
const maxVariable = 1 << 28

// parseVariable reads ".align 4 .b8 name[16] = {…};" or a part of that.
func (p *parser) parseVariable() (*variable, error) {
	v := &variable{}
	if p.accept(".align") {
		n, err := p.number()
		if err != nil {
			return nil, err
		}
		if n < 1 || n > boundary || n&(n-1) != 0 {
			return nil, p.errorf("an alignment of %d", n)
		}
		v.align = int(n)
	}
	bits, ok := typeBits(strings.TrimPrefix(p.next(), "."))
	if !ok || bits < 8 {
		p.at--
		return nil, p.errorf("%q is not the type of a variable", p.peek())
	}
	v.align = max(v.align, bits/8)
	v.name = p.next()
	v.bytes = bits / 8
	for p.accept("[") {
		if p.accept("]") {
			v.bytes = 0
			continue
		}
		n, err := p.number()
		if err != nil {
			return nil, err
		}
		if n > maxVariable || v.bytes*int(n) > maxVariable {
			return nil, p.errorf("%s has more than %d bytes", v.name, maxVariable)
		}
		v.bytes *= int(n)
		if err := p.expect("]"); err != nil {
			return nil, err
		}
	}
	if p.accept("=") {
		if err := p.parseInitial(v, bits); err != nil {
			return nil, err
		}
	}
	return v, p.expect(";")
}

// parseInitial reads the initial value of a variable: one literal or a list.
func (p *parser) parseInitial(v *variable, bits int) error {
	list := p.accept("{")
	for {
		n, _, err := p.literal()
		if err != nil {
			return err
		}
		for i := 0; i < bits; i += 8 {
			v.init = append(v.init, byte(n>>i))
		}
		if !list || !p.accept(",") {
			break
		}
	}
	if len(v.init) > v.bytes {
		return p.errorf("%s has %d bytes and more values", v.name, v.bytes)
	}
	if list {
		return p.expect("}")
	}
	return nil
}

// literal reads an integer, 0fXXXXXXXX or 0dXXXXXXXXXXXXXXXX; float is the bits of the last two.
func (p *parser) literal() (n uint64, float int, err error) {
	t := p.peek()
	if len(t) == 10 && (t[:2] == "0f" || t[:2] == "0F") {
		float = 32
	} else if len(t) == 18 && (t[:2] == "0d" || t[:2] == "0D") {
		float = 64
	}
	if float == 0 {
		n, err = p.number()
		return n, 0, err
	}
	n, err = strconv.ParseUint(t[2:], 16, 64)
	if err != nil {
		return 0, 0, p.errorf("%q is not a number", t)
	}
	p.at++
	return n, float, nil
}

// parseEntry reads a kernel after ".entry" and decodes it.
func (p *parser) parseEntry() error {
	k := &kernel{line: p.line(), name: p.next()}
	if p.accept("(") {
		for !p.accept(")") {
			if len(k.params) > 0 {
				if err := p.expect(","); err != nil {
					return err
				}
			}
			if err := p.expect(".param"); err != nil {
				return err
			}
			bits, ok := typeBits(strings.TrimPrefix(p.next(), "."))
			if !ok || bits < 8 {
				p.at--
				return p.errorf("%q is not the type of a scalar parameter", p.peek())
			}
			for slices.Contains([]string{".ptr", ".global", ".align"}, p.peek()) {
				if p.next() == ".align" {
					p.at++
				}
			}
			k.params = append(k.params, variable{name: p.next(), space: param, bytes: bits / 8})
		}
	}
	for p.peek() != "{" {
		t := p.next()
		var n []uint64
		for {
			v, err := p.number()
			if err != nil {
				return err
			}
			n = append(n, v)
			if !p.accept(",") {
				break
			}
		}
		switch t {
		case ".maxntid", ".reqntid":
			k.maxThreads = 1
			for _, v := range n {
				k.maxThreads *= int(v)
			}
		case ".minnctapersm", ".maxnreg":
		default:
			return p.errorf("%q before the body of a kernel", t)
		}
	}
	b := &bodyParser{parser: p, kernel: k, labels: map[string]int{}, scopes: []map[string]int{{}}}
	if err := b.parse(); err != nil {
		return err
	}
	if p.module.kernels[k.name] != nil {
		return fmt.Errorf("%d: a second kernel %s", k.line, k.name)
	}
	p.module.kernels[k.name] = k
	return p.module.decode(k)
}

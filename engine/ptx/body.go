package ptx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// bodyParser reads what is between the braces of a kernel.
type bodyParser struct {
	*parser
	kernel *kernel
	labels map[string]int // statement that follows
	scopes []map[string]int
	jumps  []string // label of each statement that is a branch, else empty
}

func (b *bodyParser) parse() error {
	k := b.kernel
	if err := b.expect("{"); err != nil {
		return err
	}
	for depth := 1; depth > 0; {
		if b.at >= len(b.tokens) {
			return b.errorf("kernel %s has no end", k.name)
		}
		t := b.peek()
		var err error
		switch {
		case t == "{":
			b.at++
			depth++
			b.scopes = append(b.scopes, map[string]int{})
		case t == "}":
			b.at++
			depth--
			b.scopes = b.scopes[:len(b.scopes)-1]
		case t == ".reg":
			b.at++
			err = b.parseRegisters()
		case t == ".shared" || t == ".local":
			b.at++
			err = b.parseVariable(t)
		case t == ".pragma":
			b.at += 2
			err = b.expect(";")
		case strings.HasPrefix(t, "."):
			err = b.errorf("%q is not in the subset of this virtual machine", t)
		case b.at+1 < len(b.tokens) && b.tokens[b.at+1].text == ":":
			if _, ok := b.labels[t]; ok {
				return b.errorf("a second label %s", t)
			}
			b.labels[t] = len(k.body)
			b.at += 2
		default:
			err = b.parseStatement()
		}
		if err != nil {
			return err
		}
	}
	// Running off the end is returning; labels may stand there.
	k.body = append(k.body, statement{line: b.line(), guard: -1, op: "ret", parts: []string{"ret"}})
	for i, label := range b.jumps {
		if label == "" {
			continue
		}
		to, ok := b.labels[label]
		if !ok {
			return fmt.Errorf("%d: %s: there is no label %s", k.body[i].line, k.body[i].op, label)
		}
		k.body[i].target = to
	}
	return nil
}

func (b *bodyParser) parseRegisters() error {
	name := strings.TrimPrefix(b.next(), ".")
	bits, ok := typeBits(name)
	if !ok || bits == 8 {
		b.at--
		return b.errorf("%q is not the type of a register", b.peek())
	}
	for {
		prefix, count := b.next(), uint64(0)
		if b.accept("<") {
			var err error
			if count, err = b.number(); err != nil {
				return err
			}
			if count > 1<<20 {
				return b.errorf("%d registers", count)
			}
			if err := b.expect(">"); err != nil {
				return err
			}
			for i := range count {
				b.declare(prefix+strconv.FormatUint(i, 10), bits, name[0] == 'f')
			}
		} else {
			b.declare(prefix, bits, name[0] == 'f')
		}
		if !b.accept(",") {
			return b.expect(";")
		}
	}
}

func (b *bodyParser) declare(name string, bits int, float bool) {
	k := b.kernel
	b.scopes[len(b.scopes)-1][name] = len(k.regs)
	k.regs = append(k.regs, register{name: name, bits: bits, float: float})
}

func (b *bodyParser) register(name string) int {
	for _, scope := range slices.Backward(b.scopes) {
		if r, ok := scope[name]; ok {
			return r
		}
	}
	return -1
}

// gap is what lies between two variables of shared memory, so that an index past the end of one of them
// does not land in the next.
const gap = 256

func (b *bodyParser) parseVariable(directive string) error {
	v, err := b.parser.parseVariable()
	if err != nil {
		return err
	}
	k := b.kernel
	if directive == ".local" {
		v.space = local
		k.localBytes = align(k.localBytes, v.align)
		v.addr = uint64(k.localBytes)
		k.localBytes += v.bytes
	} else {
		v.space = shared
		k.sharedVars = append(k.sharedVars, v)
	}
	// A name of a kernel's own hides one of the module's; all are gone with the next kernel.
	b.module.names[k.name+"\x00"+v.name] = v
	return nil
}

func align(n, to int) int { return (n + to - 1) / to * to }

func (b *bodyParser) parseStatement() error {
	s := statement{line: b.line(), guard: -1}
	if b.accept("@") {
		s.negate = b.accept("!")
		if s.guard = b.register(b.next()); s.guard < 0 || b.kernel.regs[s.guard].bits != 1 {
			b.at--
			return b.errorf("%q is not a predicate", b.peek())
		}
	}
	s.op = b.next()
	s.parts = strings.Split(s.op, ".")
	jump := ""
	for !b.accept(";") {
		if len(s.args) > 0 || jump != "" {
			if err := b.expect(","); err != nil {
				return fmt.Errorf("%w (%s)", err, s.op)
			}
		}
		if s.parts[0] == "bra" {
			if jump = b.next(); jump == "" {
				return b.errorf("the text ends where a label belongs (%s)", s.op)
			}
			continue
		}
		o, err := b.parseOperand()
		if err != nil {
			return fmt.Errorf("%w (%s)", err, s.op)
		}
		s.args = append(s.args, o)
	}
	b.kernel.body = append(b.kernel.body, s)
	b.jumps = append(b.jumps, jump)
	return nil
}

func (b *bodyParser) parseOperand() (operand, error) {
	o := operand{reg: -1, pair: -1}
	switch t := b.peek(); {
	case t == "{":
		b.at++
		o.kind = operandVector
		for !b.accept("}") {
			if len(o.vector) > 0 {
				if err := b.expect(","); err != nil {
					return o, err
				}
			}
			e, err := b.parseOperand()
			if err != nil {
				return o, err
			}
			o.vector = append(o.vector, e)
		}
	case t == "[":
		return b.parseAddress()
	case t == "_":
		b.at++
		o.kind = operandSink
	case t == "!" || b.register(t) >= 0:
		o.negate = b.accept("!")
		if o.reg = b.register(b.next()); o.reg < 0 {
			b.at--
			return o, b.errorf("%q is not a register", b.peek())
		}
		if b.accept("|") {
			if o.pair = b.register(b.next()); o.pair < 0 {
				b.at--
				return o, b.errorf("%q is not a register", b.peek())
			}
		}
	case t == "-" || t != "" && t[0] >= '0' && t[0] <= '9':
		var err error
		o.kind = operandNumber
		if o.number, o.float, err = b.literal(); err != nil {
			return o, err
		}
	case strings.HasPrefix(t, "%"):
		b.at++
		o.kind, o.symbol = operandSpecial, t
		if !specials[t] {
			b.at--
			return o, b.errorf("%q is neither a declared register nor a special one of the subset", t)
		}
	case t != "" && (wordByte(t[0])):
		b.at++
		o.kind, o.symbol = operandSymbol, t
		return o, b.parseOffset(&o)
	default:
		return o, b.errorf("%q where an operand belongs", t)
	}
	return o, nil
}

func (b *bodyParser) parseOffset(o *operand) error {
	if b.accept("+") || b.peek() == "-" {
		n, err := b.number()
		if err != nil {
			return err
		}
		o.number = n
	}
	return nil
}

func (b *bodyParser) parseAddress() (operand, error) {
	o := operand{kind: operandAddress, reg: -1, pair: -1}
	b.at++
	t := b.next()
	if o.reg = b.register(t); o.reg < 0 {
		if strings.HasPrefix(t, "%") || t == "" || !wordByte(t[0]) || t[0] >= '0' && t[0] <= '9' {
			b.at--
			return o, b.errorf("%q is not the base of an address", t)
		}
		o.symbol = t
	}
	if err := b.parseOffset(&o); err != nil {
		return o, err
	}
	return o, b.expect("]")
}

// find is the variable of a name, in the kernel or in the module.
func (m *Module) find(k *kernel, name string) *variable {
	if v := m.names[k.name+"\x00"+name]; v != nil {
		return v
	}
	return m.names[name]
}

package pickle

import "encoding/binary"

// opcodes is what the machine does for each opcode, nil where there is none. The second argument is the opcode.
var opcodes = [256]func(*machine, byte) error{
	// About the stream.
	0x80: (*machine).protocol, // PROTO
	0x95: (*machine).frame,    // FRAME
	'.':  (*machine).stop,     // STOP

	// Constants and numbers.
	'N': constant(nil), 0x88: constant(true), 0x89: constant(false), // NONE NEWTRUE NEWFALSE
	'I': (*machine).integerText, 'L': (*machine).integerText, // INT LONG
	'J': (*machine).integer, 'K': (*machine).integer, 'M': (*machine).integer, // BININT BININT1 BININT2
	0x8a: (*machine).long, 0x8b: (*machine).long, // LONG1 LONG4
	'F': (*machine).floatText, 'G': (*machine).float, // FLOAT BINFLOAT

	// Strings and bytes.
	'S': (*machine).quoted, 'V': (*machine).escaped, // STRING UNICODE
	'U': stringOf(kindStr, 1), 'T': stringOf(kindStr, 4), // SHORT_BINSTRING BINSTRING
	0x8c: stringOf(kindText, 1), 'X': stringOf(kindText, 4), 0x8d: stringOf(kindText, 8), // SHORT_BINUNICODE BINUNICODE BINUNICODE8
	'C': stringOf(kindBytes, 1), 'B': stringOf(kindBytes, 4), 0x8e: stringOf(kindBytes, 8), // SHORT_BINBYTES BINBYTES BINBYTES8
	0x96: stringOf(kindBytes, 8), // BYTEARRAY8

	// Containers.
	']': (*machine).emptyList, '}': (*machine).emptyDict, ')': (*machine).tuple,
	'l': (*machine).markedList, 'd': (*machine).markedDict, 't': (*machine).tuple,
	0x85: (*machine).tuple, 0x86: (*machine).tuple, 0x87: (*machine).tuple, // TUPLE1 TUPLE2 TUPLE3
	'a': (*machine).append, 'e': (*machine).appends, 's': (*machine).setItem, 'u': (*machine).setItems,

	// Stack and memo.
	'(': (*machine).mark, '0': (*machine).drop, '1': (*machine).dropMark, '2': (*machine).duplicate,
	'p': memoText((*machine).put), 'q': memoNumber((*machine).put, 1), 'r': memoNumber((*machine).put, 4), 0x94: (*machine).memoize,
	'g': memoText((*machine).get), 'h': memoNumber((*machine).get, 1), 'j': memoNumber((*machine).get, 4),

	// Globals and what is done with them.
	'c': (*machine).globalText, 0x93: (*machine).stackGlobal, 'i': (*machine).instance, 'o': (*machine).object, // GLOBAL STACK_GLOBAL INST OBJ
	'R': (*machine).reduce, 0x81: (*machine).reduce, 0x92: (*machine).newObject, 'b': (*machine).build, // REDUCE NEWOBJ NEWOBJ_EX BUILD

	// What data does not need.
	'P': refused("an object that is stored elsewhere (a persistent id)"), 'Q': refused("an object that is stored elsewhere (a persistent id)"),
	0x82: refused("a global by a registered number"), 0x83: refused("a global by a registered number"), 0x84: refused("a global by a registered number"),
	0x97: refused("a buffer outside the file"), 0x98: refused("a buffer outside the file"),
	0x8f: refused("a set"), 0x90: refused("a set"), 0x91: refused("a frozenset"),
}

func refused(what string) func(*machine, byte) error {
	return func(*machine, byte) error { return unsupported("it holds %s", what) }
}

func constant(v any) func(*machine, byte) error {
	return func(m *machine, _ byte) error { return m.push(v) }
}

func (m *machine) protocol(byte) error {
	b, err := m.in.take(1)
	if err != nil {
		return err
	}
	if b[0] > highestProtocol {
		return unsupported("protocol %d, the newest known is %d", b[0], highestProtocol)
	}
	m.opened = true
	return nil
}

// frame skips the length of a frame: frames tell a reader how much to fetch at once.
func (m *machine) frame(byte) error {
	n, err := m.unsigned(8)
	if err == nil && n > m.in.left() {
		err = m.in.short(n)
	}
	return err
}

func (m *machine) stop(byte) error {
	m.done = true
	return nil
}

// unsigned reads a number of size bytes, which must be below 2^63.
func (m *machine) unsigned(size int64) (int64, error) {
	b, err := m.in.take(size)
	if err != nil {
		return 0, err
	}
	var word [8]byte
	copy(word[:], b)
	n := int64(binary.LittleEndian.Uint64(word[:]))
	if n < 0 {
		return 0, damaged("a length of %d bytes", uint64(n))
	}
	return n, nil
}

func (m *machine) mark(byte) error {
	if len(m.marks) == cap(m.marks) {
		n := max(64, 2*cap(m.marks))
		if err := m.charge(8 * int64(n)); err != nil {
			return err
		}
		m.marks = append(make([]int, 0, n), m.marks...)
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

// drop takes the last value from the stack, or the last mark if nothing stands after it.
func (m *machine) drop(byte) error {
	if n := len(m.marks); n > 0 && m.marks[n-1] == len(m.stack) {
		m.marks = m.marks[:n-1]
		return nil
	}
	_, err := m.pop()
	return err
}

func (m *machine) dropMark(byte) error {
	_, err := m.popMark()
	return err
}

func (m *machine) duplicate(byte) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	return m.push(v)
}

func memoNumber(do func(*machine, int64) error, size int64) func(*machine, byte) error {
	return func(m *machine, _ byte) error {
		i, err := m.unsigned(size)
		if err != nil {
			return err
		}
		return do(m, i)
	}
}

func memoText(do func(*machine, int64) error) func(*machine, byte) error {
	return func(m *machine, _ byte) error {
		v, err := m.decimal()
		i, ok := v.(int64)
		if err == nil && !ok {
			err = damaged("the number of a value in the memo is too large")
		}
		if err != nil {
			return err
		}
		return do(m, i)
	}
}

func (m *machine) memoize(byte) error { return m.put(int64(len(m.memo))) }

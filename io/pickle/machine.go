package pickle

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// highestProtocol is the newest protocol that the machine knows.
const highestProtocol = 5

// machine follows the opcodes of one pickle. Every handler of an opcode charges what it allocates before it does.
type machine struct {
	name   string // of the file
	in     input
	stack  []any
	marks  []int  // lengths of the stack
	memo   []any  // nil where nothing was put
	budget *int64 // bytes that may still be allocated
	opened bool   // the file begins with an opcode that tells its protocol
	done   bool
}

// What the values of a pickle may take in memory: so many bytes for each of the file, and so many more.
const (
	budgetFactor = 12
	budgetBase   = 640 << 10
)

// Decode reads the pickle at the start of the size bytes of r; what follows it is not looked at. Errors, each an *Error, name
// the file by name. Arrays keep r: it must stay open until they were read. All memory that is allocated here is less than 16
// times size and 1 MiB, whatever the bytes say.
func Decode(r io.ReaderAt, size int64, name string) (any, error) {
	budget := budgetFactor*size + budgetBase
	return DecodeWithin(&budget, r, size, name)
}

// DecodeWithin is Decode for one of several pickles that together may allocate budget bytes for their values: those of this one
// are taken from it.
func DecodeWithin(budget *int64, r io.ReaderAt, size int64, name string) (any, error) {
	m := &machine{name: name, in: input{r: r, size: size}, budget: budget}
	v, err := m.run()
	if err != nil {
		return nil, named(err, name)
	}
	return v, nil
}

// named puts the name of the file into err.
func named(err error, name string) error {
	var e *Error
	if errors.As(err, &e) {
		e.File = name
	}
	return err
}

// A File is a pickle that is open for the sake of its arrays.
type File struct {
	Value any
	file  *os.File
}

// Open opens the pickle at path and decodes it. Close the File when its arrays were read.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("pickle: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("pickle: %s: not a regular file: give the path of a pickle", path)
	} else if err != nil {
		err = fmt.Errorf("pickle: %w", err)
	}
	var v any
	if err == nil {
		v, err = Decode(f, info.Size(), path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{Value: v, file: f}, nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// run follows the opcodes up to the end of the pickle and returns the value that it stands for.
func (m *machine) run() (any, error) {
	if m.in.size == 0 {
		return nil, &Error{Err: ErrTruncated, Detail: "the file is empty"}
	}
	for !m.done {
		at := m.in.at
		if err := m.step(); err != nil {
			var e *Error
			if errors.As(err, &e) {
				e.Offset = at
				if e.Err == ErrDamaged && !m.opened {
					e.Err = ErrNotPickle
				}
			}
			return nil, err
		}
	}
	end := m.in.at - 1
	v, err := m.pop()
	if err == nil && len(m.stack) > 0 {
		err = damaged("%d values are left over at the end", len(m.stack))
	}
	if err == nil {
		v, _, err = m.finish(v, 0)
	}
	var e *Error
	if errors.As(err, &e) && e.Offset == 0 {
		e.Offset = end
	}
	return v, err
}

func (m *machine) step() error {
	op, err := m.in.take(1)
	if err != nil {
		return err
	}
	code := op[0]
	follow := opcodes[code]
	if follow == nil {
		return damaged("there is no opcode 0x%02x", code)
	}
	return follow(m, code)
}

// damaged is an error for what no pickler writes.
func damaged(format string, args ...any) error {
	return &Error{Err: ErrDamaged, Detail: fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &Error{Err: ErrUnsupported, Detail: fmt.Sprintf(format, args...)}
}

// charge takes n bytes, and what an allocator adds to them, from what may be allocated.
func (m *machine) charge(n int64) error {
	*m.budget -= n + n/4
	if *m.budget < 0 || n < 0 {
		return &Error{Err: ErrTooLarge, Detail: "the values take many times the size of the file"}
	}
	return nil
}

// slot is the size of an interface, in bytes.
const slot = 16

// push puts v on the stack.
func (m *machine) push(v any) error {
	if len(m.stack) == cap(m.stack) {
		n := max(256, 2*cap(m.stack))
		if err := m.charge(int64(n) * slot); err != nil {
			return err
		}
		m.stack = append(make([]any, 0, n), m.stack...)
	}
	m.stack = append(m.stack, v)
	return nil
}

// pop takes the last value from the stack, not past a mark.
func (m *machine) pop() (any, error) {
	n := len(m.stack) - 1
	if n < 0 || len(m.marks) > 0 && m.marks[len(m.marks)-1] > n {
		return nil, damaged("a value is wanted where there is none")
	}
	v := m.stack[n]
	m.stack = m.stack[:n]
	return v, nil
}

// top returns the last value of the stack and leaves it there.
func (m *machine) top() (any, error) {
	v, err := m.pop()
	if err == nil {
		m.stack = m.stack[:len(m.stack)+1]
	}
	return v, err
}

// popMark takes the values after the last mark, and the mark; valid until the next push.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, damaged("a mark is wanted where there is none")
	}
	from := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	items := m.stack[from:]
	m.stack = m.stack[:from]
	return items, nil
}

// put remembers the last value of the stack under a number.
func (m *machine) put(i int64) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if i < 0 || i > m.in.size { // every number of a pickler takes at least a byte
		return damaged("a value is remembered under the number %d", i)
	}
	if i >= int64(cap(m.memo)) {
		n := max(64, i+1, 2*int64(cap(m.memo)))
		if err := m.charge(n * slot); err != nil {
			return err
		}
		m.memo = append(make([]any, 0, n), m.memo...)
	}
	if i >= int64(len(m.memo)) {
		m.memo = m.memo[:i+1]
	}
	m.memo[i] = v
	return nil
}

// get pushes what was remembered under a number.
func (m *machine) get(i int64) error {
	if i < 0 || i >= int64(len(m.memo)) || m.memo[i] == nil {
		return damaged("no value was remembered under the number %d", i)
	}
	return m.push(m.memo[i])
}

package pickle

import (
	"strings"
)

// global is a name that a pickle may use, and what calling it stands for; nothing of Python's is run.
type global struct {
	name string
	call func(m *machine, args []any) (any, error) // nil: it is only ever an argument
}

// globals are all names that are known, by their names in Python 3 and NumPy 1. It is never changed.
var globals = func() map[string]*global {
	known := map[string]*global{}
	for _, g := range []*global{
		{"numpy.ndarray", nil},
		{"numpy.dtype", newDtype},
		{"numpy.core.multiarray._reconstruct", reconstruct},
		{"numpy.core.multiarray.scalar", scalar},
		{"numpy.core.numeric._frombuffer", fromBuffer},
		{"collections.OrderedDict", orderedDict},
		{"_codecs.encode", encodeText},
		{"builtins.bytes", newBytes},
		{"builtins.bytearray", newBytes},
		{"builtins.tuple", newTuple},
		{"builtins.eval", namedData},
	} {
		known[g.name] = g
	}
	return known
}()

// maxName is the longest name of a global, in bytes.
const maxName = 1 << 10

// find returns the global of that name, or refuses it.
func find(module, name string) (*global, error) {
	known := module
	if known == "__builtin__" {
		known = "builtins"
	} else if rest, ok := strings.CutPrefix(known, "numpy._core."); ok {
		known = "numpy.core." + rest
	}
	if g := globals[known+"."+name]; g != nil {
		return g, nil
	}
	return nil, forbidden(module + "." + name)
}

func forbidden(name string) error {
	return &Error{Err: ErrRefused, Detail: "it calls for " + quote(name) + ", which data does not need"}
}

// quote makes a name from a file fit for a message.
func quote(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xFFFD {
			return '?'
		}
		return r
	}, name)
	return clip(clean)
}

// globalLine reads the module and the name of a global, a line each.
func (m *machine) globalLine() (*global, error) {
	line, err := m.in.shortLine(maxName)
	if err != nil {
		return nil, err
	}
	module := string(line)
	if line, err = m.in.shortLine(maxName); err != nil {
		return nil, err
	}
	if err := m.charge(4 * int64(len(module)+len(line))); err != nil {
		return nil, err
	}
	return find(module, string(line))
}

func (m *machine) globalText(byte) error {
	g, err := m.globalLine()
	if err != nil {
		return err
	}
	return m.push(g)
}

func (m *machine) stackGlobal(byte) error {
	name, err := m.pop()
	if err != nil {
		return err
	}
	module, err := m.pop()
	if err != nil {
		return err
	}
	mod, ok1 := module.(string)
	nam, ok2 := name.(string)
	if !ok1 || !ok2 {
		return damaged("a global whose name is not a string")
	}
	if err := m.charge(2 * int64(len(mod)+len(nam))); err != nil {
		return err
	}
	g, err := find(mod, nam)
	if err != nil {
		return err
	}
	return m.push(g)
}

// instance is how protocols 0 and 1 make an object of a class. Data has none; the class is named in the error.
func (m *machine) instance(byte) error {
	g, err := m.globalLine()
	if err != nil {
		return err
	}
	return forbidden(g.name)
}

func (m *machine) object(byte) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	if len(items) > 0 {
		if g, ok := items[0].(*global); ok {
			return forbidden(g.name)
		}
	}
	return damaged("an object without a class")
}

// newObject is NEWOBJ_EX: arguments by position and by name. The globals here take none by name.
func (m *machine) newObject(op byte) error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	if d, ok := v.(*Dict); !ok || len(d.Entries) > 0 {
		return unsupported("an object made with arguments by name")
	}
	return m.reduce(op)
}

// reduce calls a global with a tuple of arguments.
func (m *machine) reduce(byte) error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	callee, err := m.pop()
	if err != nil {
		return err
	}
	args, ok := v.(*Tuple)
	if !ok {
		return damaged("a call with %s for arguments", Describe(v))
	}
	g, ok := callee.(*global)
	if !ok {
		return damaged("a call of %s", Describe(callee))
	}
	if g.call == nil {
		return forbidden(g.name)
	}
	v, err = g.call(m, args.Items)
	if err != nil {
		return err
	}
	return m.push(v)
}

// badCall is the error for arguments that no pickler writes.
func badCall(name string) error { return damaged("%s with arguments that it does not take", name) }

// orderedDict makes an ordered dict, empty or from a list of pairs, as Python 2 writes it.
func orderedDict(m *machine, args []any) (any, error) {
	if err := m.charge(dictSize); err != nil {
		return nil, err
	}
	d := &Dict{}
	if len(args) == 0 {
		return d, nil
	}
	pairs, ok := Items(args[0])
	if !ok || len(args) > 1 {
		return nil, badCall("collections.OrderedDict")
	}
	for _, p := range pairs {
		pair, ok := Items(p)
		if !ok || len(pair) != 2 {
			return nil, badCall("collections.OrderedDict")
		}
		if err := m.set(d, pair); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// encodeText is how bytes are written by Python 3 in protocols up to 2: as text of the characters with their numbers.
func encodeText(m *machine, args []any) (any, error) {
	if len(args) != 2 || !latin1(args[1]) {
		return nil, badCall("_codecs.encode")
	}
	switch v := args[0].(type) {
	case string:
		if err := m.charge(24 + 2*int64(len(v))); err != nil {
			return nil, err
		}
		b := []byte(v)
		used, made, ok := decodeLatin(b, b)
		if !ok || used < len(b) {
			return nil, notLatin()
		}
		return b[:made], nil
	case *lazy:
		if v.what != kindText {
			break
		}
		if err := m.charge(96); err != nil {
			return nil, err
		}
		data := v.data
		data.latin = true
		return &lazy{what: kindBytes, data: data}, nil
	}
	return nil, badCall("_codecs.encode")
}

func latin1(v any) bool {
	name, _ := Text(v)
	switch strings.ToLower(strings.ReplaceAll(name, "_", "-")) {
	case "latin1", "latin-1", "iso-8859-1":
		return true
	}
	return false
}

// newBytes is bytes(), bytearray(), and either of bytes or of text in Latin-1.
func newBytes(m *machine, args []any) (any, error) {
	switch len(args) {
	case 0:
		return []byte{}, m.charge(24)
	case 1:
		if l, ok := args[0].(*lazy); ok && l.what == kindBytes {
			return l, nil
		}
		if b, ok := args[0].([]byte); ok {
			return b, nil
		}
	case 2:
		return encodeText(m, args)
	}
	return nil, badCall("builtins.bytes")
}

// newTuple is tuple(items), in which Paddle wraps the tensors of nested objects.
func newTuple(m *machine, args []any) (any, error) {
	if len(args) == 0 {
		return &Tuple{}, m.charge(listSize)
	}
	items, ok := Items(args[0])
	if !ok || len(args) > 1 {
		return nil, badCall("builtins.tuple")
	}
	if err := m.charge(listSize + slot*int64(len(items))); err != nil {
		return nil, err
	}
	return &Tuple{Items: append([]any(nil), items...)}, nil
}

// namedData is eval('data', {'data': value}), in which Paddle wraps a tensor that stands alone: the value. Any other text to be
// evaluated is refused.
func namedData(_ *machine, args []any) (any, error) {
	if len(args) == 2 {
		text, _ := Text(args[0])
		if d, ok := args[1].(*Dict); ok && text == "data" && len(d.Entries) == 1 {
			if v, ok := d.Get("data"); ok {
				return v, nil
			}
		}
	}
	return nil, forbidden("builtins.eval")
}

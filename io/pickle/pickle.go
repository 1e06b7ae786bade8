// Package pickle reads and writes Python pickles that hold plain data: numbers, text, lists, tuples, dicts and NumPy arrays.
//
// Reading is done by a machine of our own for protocols 0 to 5. It knows a short list of globals, those that arrays of numbers
// and ordered dicts are made of, and refuses every other by its name; nothing in a file can make it run code. What it
// allocates is bounded by the size of the file, and the data of arrays stays in the file until it is asked for.
//
// Writing is done in protocol 2, which Python 2 and 3 and Paddle read, as a stream.
//
// Source: the module pickletools of Python, which describes every opcode; numpy's ndarray.__reduce__ and __reduce_ex__.
package pickle

import (
	"fmt"
	"math/big"
)

// Values of a pickle are
//
//	None              nil
//	bool              bool
//	int, long         int64, or *big.Int where it does not fit
//	float             float64
//	str (Python 3),
//	unicode           string
//	str (Python 2)    Str
//	bytes, bytearray  []byte
//	list              *List
//	tuple             *Tuple
//	dict, OrderedDict *Dict
//	numpy.ndarray     *NDArray
//
// and scalars of NumPy are the bool, int64, *big.Int or float64 of the same value. Values may be shared, as in Python; no list
// or dict holds itself.

// Str is a str of Python 2: bytes that may be meant as text.
type Str string

// A List is a list of Python.
type List struct {
	Items []any
	mark
}

// A Tuple is a tuple of Python.
type Tuple struct {
	Items []any
	mark
}

// A Dict is a dict of Python; its entries have the order in which they were first set.
type Dict struct {
	Entries []Entry
	index   map[any]int // where keys stand, kept from the moment there are more than a few
	mark
}

// An Entry of a Dict. The key is of type string, Str, []byte, int64, float64 or bool, or nil.
type Entry struct{ Key, Value any }

// fewEntries are searched one by one.
const fewEntries = 8

// mapCost is about what a map allocates for an entry over its life, in bytes.
const mapCost = 128

// bytesKey is a key of type []byte in a map.
type bytesKey string

// canonical returns a key as a value that can be compared, and whether it can be a key.
func canonical(key any) (any, bool) {
	switch k := key.(type) {
	case []byte:
		return bytesKey(k), true
	case string, Str, int64, float64, bool, nil:
		return k, true
	}
	return nil, false
}

// find returns where a key stands, -1 if nowhere.
func (d *Dict) find(key any) int {
	if d.index != nil {
		if i, ok := d.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range d.Entries {
		if k, _ := canonical(d.Entries[i].Key); k == key {
			return i
		}
	}
	return -1
}

// Get returns the value of a key that is the given text in any of Python's types: str, unicode or bytes.
func (d *Dict) Get(key string) (any, bool) {
	for _, k := range [...]any{key, Str(key), bytesKey(key)} {
		if i := d.find(k); i >= 0 {
			return d.Entries[i].Value, true
		}
	}
	return nil, false
}

// Text returns the characters of a string, or the bytes of a Str or a []byte, and whether v is one of these.
func Text(v any) (string, bool) {
	switch s := v.(type) {
	case string:
		return s, true
	case Str:
		return string(s), true
	case []byte:
		return string(s), true
	}
	return "", false
}

// Items returns the elements of a list or a tuple, and whether v is one of these.
func Items(v any) ([]any, bool) {
	switch s := v.(type) {
	case *List:
		return s.Items, true
	case *Tuple:
		return s.Items, true
	}
	return nil, false
}

// Ints returns the integers of a list or tuple, or of an array in row-major order, and whether v is one of these.
func Ints(v any) (list []int64, ok bool) {
	if a, isArray := v.(*NDArray); isArray {
		list, err := a.Ints()
		return list, err == nil
	}
	items, ok := Items(v)
	for _, item := range items {
		n, isInt := item.(int64)
		if !isInt {
			return nil, false
		}
		list = append(list, n)
	}
	return list, ok
}

// Describe says what kind of value v is, for messages: short, whatever v holds.
func Describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int64, *big.Int:
		return "an int"
	case float64:
		return "a float"
	case string:
		return "a string"
	case Str:
		return "a string of Python 2"
	case []byte:
		return "bytes"
	case *lazy:
		return v.what.String()
	case *List:
		return fmt.Sprintf("a list of %d", len(v.Items))
	case *Tuple:
		return fmt.Sprintf("a tuple of %d", len(v.Items))
	case *Dict:
		return fmt.Sprintf("a dict of %d", len(v.Entries))
	case *NDArray:
		return fmt.Sprintf("an array of %s of shape %v", v.DType, v.Shape)
	case *dtype:
		return "a dtype"
	case *global:
		return "the global " + v.name
	}
	return fmt.Sprintf("%T", v)
}

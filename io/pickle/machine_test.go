package pickle

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"avcu/io/allocation"

	"github.com/google/go-cmp/cmp"
)

func decode(data []byte) (any, error) {
	return Decode(bytes.NewReader(data), int64(len(data)), "a.pkl")
}

// plain turns a value into plain Go values, for comparison: lists and tuples to []any, dicts to pairs.
func plain(v any) any {
	switch v := v.(type) {
	case *List:
		return each(v.Items)
	case *Tuple:
		return append([]any{"tuple"}, each(v.Items)...)
	case *Dict:
		list := []any{"dict"}
		for _, e := range v.Entries {
			list = append(list, plain(e.Key), plain(e.Value))
		}
		return list
	case *big.Int:
		return v.String()
	case *NDArray:
		b, err := v.Bytes()
		return fmt.Sprint(v.DType, v.Shape, b, err)
	}
	return v
}

func each(items []any) []any {
	list := []any{}
	for _, i := range items {
		list = append(list, plain(i))
	}
	return list
}

const (
	array0  = "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
	dtypeOf = "cnumpy\ndtype\nU\x02%sK\x00K\x01\x87R(K\x03U\x01%sNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)

// arrayOf is the pickle of an array.
func arrayOf(code, order, shape, fortran, data string) string {
	return array0 + "(K\x01" + shape + fmt.Sprintf(dtypeOf, code, order) + fortran + data + "tb."
}

func TestValues(t *testing.T) {
	long := strings.Repeat("long", 300)
	for _, c := range []struct {
		name, pickle string
		want         any
	}{
		{"none", "N.", nil},
		{"bools", "\x80\x02\x88\x89\x86.", []any{"tuple", true, false}},
		{"bools of protocol 0", "(I01\nI00\nt.", []any{"tuple", true, false}},
		{"int as text", "I-12\n.", int64(-12)},
		{"int 1", "I1\n.", int64(1)},
		{"long as text", "L123L\n.", int64(123)},
		{"big long as text", "L-123456789012345678901234567890L\n.", "-123456789012345678901234567890"},
		{"binary ints", "(K\xffM\xff\xffJ\xff\xff\xff\xffJ\x00\x00\x00\x80t.", []any{"tuple", int64(255), int64(65535), int64(-1), int64(-1 << 31)}},
		{"long1", "(\x8a\x00\x8a\x01\xff\x8a\x02\xff\x00\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7ft.", []any{"tuple", int64(0), int64(-1), int64(255), int64(1<<63 - 1)}},
		{"long1 of nine bytes", "(\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\xff\x8a\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00t.",
			[]any{"tuple", "18446744073709551615", "-18446744073709551616", int64(1)}},
		{"long4", "\x8b\x02\x00\x00\x00\x00\x80.", int64(-32768)},
		{"floats", "(F1.5\nG\x3f\xf8\x00\x00\x00\x00\x00\x00Finf\nt.", []any{"tuple", 1.5, 1.5, inf()}},
		{"strings of Python 2", "(S'a\\x00\\'\\n\\101'\nS\"b'\"\nU\x01cT\x01\x00\x00\x00dt.", []any{"tuple", Str("a\x00'\nA"), Str("b'"), Str("c"), Str("d")}},
		{"text", "(Va\\u00e9\\U0001f600\\ud83d\\ude00\xe9\nX\x02\x00\x00\x00\xc3\xa9\x8c\x01a\x8d\x01\x00\x00\x00\x00\x00\x00\x00bt.", []any{"tuple", "aé😀😀é", "é", "a", "b"}},
		{"bytes", "(C\x01aB\x01\x00\x00\x00b\x8e\x01\x00\x00\x00\x00\x00\x00\x00c\x96\x01\x00\x00\x00\x00\x00\x00\x00dt.",
			[]any{"tuple", []byte("a"), []byte("b"), []byte("c"), []byte("d")}},
		{"long strings", "(B\xb0\x04\x00\x00" + long + "X\xb0\x04\x00\x00" + long + "T\xb0\x04\x00\x00" + long + "V" + long + "\nt.",
			[]any{"tuple", []byte(long), long, Str(long), long}},
		{"a long string as a key", "}X\xb0\x04\x00\x00" + long + "K\x01s.", []any{"dict", long, int64(1)}},
		{"a long string in the memo", "(X\xb0\x04\x00\x00" + long + "q\x00h\x00t.", []any{"tuple", long, long}},
		{"bytes as text", "(c_codecs\nencode\nX\x03\x00\x00\x00a\xc3\xbfX\x06\x00\x00\x00latin1\x86Rt.", []any{"tuple", []byte("a\xff")}},
		{"long bytes as text", "c_codecs\nencode\nX\xb2\x04\x00\x00\xc3\xbf" + long + "X\x06\x00\x00\x00latin1\x86R.", []byte("\xff" + long)},
		{"empty bytes", "c__builtin__\nbytes\n)R.", []byte{}},
		{"bytearray", "cbuiltins\nbytearray\nC\x01a\x85R.", []byte("a")},
		{"lists", "((K\x01lp0\nK\x02a](K\x03K\x04eg0\nt.", []any{"tuple", []any{int64(1), int64(2)}, []any{int64(3), int64(4)}, []any{int64(1), int64(2)}}},
		{"tuples", "()N\x85NN\x86NNN\x87(tt.", []any{"tuple", []any{"tuple"}, []any{"tuple", nil}, []any{"tuple", nil, nil}, []any{"tuple", nil, nil, nil}, []any{"tuple"}}},
		{"dicts", "((K\x01K\x02dK\x03K\x04s}(K\x05K\x06K\x07K\x08ut.", []any{"tuple", []any{"dict", int64(1), int64(2), int64(3), int64(4)}, []any{"dict", int64(5), int64(6), int64(7), int64(8)}}},
		{"a key set twice", "}(K\x05K\x06K\x07K\x08K\x05K\x09u.", []any{"dict", int64(5), int64(9), int64(7), int64(8)}},
		{"ordered dicts", "(ccollections\nOrderedDict\n)R(K\x01K\x02uccollections\nOrderedDict\n](](K\x01K\x02ee\x85Rt.",
			[]any{"tuple", []any{"dict", int64(1), int64(2)}, []any{"dict", int64(1), int64(2)}}},
		{"memo", "(K\x01q\x05h\x05r\x06\x00\x00\x00j\x06\x00\x00\x00\x94\x94h\x07p20\ng20\nt.", []any{"tuple", int64(1), int64(1), int64(1), int64(1), int64(1)}},
		{"stack", "(K\x01K\x020K\x032(K\x04K\x051(0t.", []any{"tuple", int64(1), int64(3), int64(3)}},
		{"frame", "\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N.", nil},
		{"something behind", "N.whatever", nil},
		{"a tuple of Paddle", "cbuiltins\ntuple\n(U\x01aK\x01t\x85R.", []any{"tuple", Str("a"), int64(1)}},
		{"a tensor of Paddle", "cbuiltins\neval\nU\x04data}U\x04dataK\x07s\x86R.", int64(7)},
		{"array", arrayOf("f4", "<", "K\x01\x85", "\x89", "U\x04\x00\x00\x80\x3f"), "float32[1] [0 0 128 63] <nil>"},
		{"array without dimensions", arrayOf("f4", "<", ")", "\x89", "U\x04\x00\x00\x80\x3f"), "float32[] [0 0 128 63] <nil>"},
		{"big-endian array", arrayOf("i2", ">", "K\x02\x85", "\x89", "C\x04\x00\x01\x00\x02"), "int16[2] [1 0 2 0] <nil>"},
		{"column-major array", arrayOf("u1", "|", "K\x02K\x03K\x01\x87", "\x88", "C\x06\x00\x03\x01\x04\x02\x05"), "uint8[2 3 1] [0 1 2 3 4 5] <nil>"},
		{"empty array", arrayOf("f8", "<", "J\xff\xff\xff\x7fK\x00\x86", "\x88", "C\x00"), "float64[2147483647 0] [] <nil>"},
		{"array of protocol 5", "cnumpy._core.numeric\n_frombuffer\n(\x96\x04\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04" + fmt.Sprintf(dtypeOf, "u1", "|") + "K\x02K\x02\x86\x8c\x01FtR.", "uint8[2 2] [1 3 2 4] <nil>"},
		{"scalars", "(" + scalarOf("i8", "<", "\xfe\xff\xff\xff\xff\xff\xff\xff") + scalarOf("f4", ">", "\x3f\xc0\x00\x00") + scalarOf("b1", "|", "\x01") + scalarOf("u8", "<", "\xff\xff\xff\xff\xff\xff\xff\xff") + scalarOf("u1", "|", "\xff") + "t.",
			[]any{"tuple", int64(-2), 1.5, true, "18446744073709551615", int64(255)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := decode([]byte(c.pickle))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, plain(v)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func scalarOf(code, order, data string) string {
	return "cnumpy._core.multiarray\nscalar\n" + fmt.Sprintf(dtypeOf, code, order) + "C" + string(rune(len(data))) + data + "\x86R"
}

func inf() float64 { return 1 / zero }

var zero float64

func TestRefuses(t *testing.T) {
	deep := strings.Repeat("]", maxDepth+2) + strings.Repeat("a", maxDepth+1) + "."
	for _, c := range []struct {
		name, pickle string
		kind         error
		want         string
	}{
		{"text", "hello, world", ErrNotPickle, "byte 0"},
		{"unknown opcode", "\x80\x02Nz.", ErrDamaged, "byte 3: damaged pickle: there is no opcode 0x7a"},
		{"protocol 6", "\x80\x06N.", ErrUnsupported, "protocol 6"},
		{"no stop", "\x80\x02N", ErrTruncated, "ends at byte 3"},
		{"nothing to stop with", "\x80\x02.", ErrDamaged, "byte 2: damaged pickle: a value is wanted"},
		{"left over", "\x80\x02NN.", ErrDamaged, "1 values are left over"},
		{"frame past the end", "\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00N.", ErrTruncated, "byte 2"},
		{"string past the end", "\x80\x02X\xff\xff\xff\x7fabc", ErrTruncated, "byte 2: truncated: 2147483647 more bytes"},
		{"bytes of 2^63", "\x80\x04\x8e\x00\x00\x00\x00\x00\x00\x00\x80", ErrDamaged, "a length of 9223372036854775808"},
		{"line without end", "\x80\x02I12", ErrTruncated, "a line has no end"},
		{"line too long", "\x80\x02L" + strings.Repeat("1", 5000) + "L\n.", ErrDamaged, "a line of 5001 bytes"},
		{"long too long", "\x80\x02\x8b\x00\x00\x01\x00" + strings.Repeat("1", 1<<16) + ".", ErrUnsupported, "an integer of 65536 bytes"},
		{"no integer", "\x80\x02I1_0\n.", ErrDamaged, `"1_0" is not an integer`},
		{"no float", "\x80\x02Fabc\n.", ErrDamaged, `"abc" is not a number`},
		{"no UTF-8", "\x80\x02X\x01\x00\x00\x00\xff.", ErrDamaged, "not UTF-8"},
		{"no quotes", "\x80\x02Sabc\n.", ErrDamaged, "without its quotes"},
		{"half an escape", "\x80\x02S'\\x1'\n.", ErrDamaged, `\x without two digits`},
		{"half a surrogate", "\x80\x02V\\ud83d\n.", ErrDamaged, "no character"},
		{"pop past a mark", "\x80\x02K\x01(\x85.", ErrDamaged, "a value is wanted"},
		{"no mark", "\x80\x02K\x01t.", ErrDamaged, "a mark is wanted"},
		{"memo", "\x80\x02h\x07.", ErrDamaged, "no value was remembered under the number 7"},
		{"memo far away", "\x80\x02Nr\xff\xff\xff\xff.", ErrDamaged, "number 4294967295"},
		{"append to a dict", "\x80\x02}Na.", ErrDamaged, "appended to a dict of 0"},
		{"set in a list", "\x80\x02]NNs.", ErrDamaged, "set in a list of 0"},
		{"odd dict", "\x80\x02}(Nu.", ErrDamaged, "no value"},
		{"list as a key", "\x80\x02}]Ns.", ErrUnsupported, "a list of 0 as the key"},
		{"global", "\x80\x02cos\nsystem\nU\x02ls\x85R.", ErrRefused, "byte 2: refused: it calls for os.system,"},
		{"stack global", "\x80\x04\x8c\x05posix\x8c\x06system\x93.", ErrRefused, "posix.system"},
		{"global of numpy", "\x80\x02cnumpy.core.multiarray\nfromfile\n.", ErrRefused, "numpy.core.multiarray.fromfile"},
		{"numpy object", "\x80\x02cnumpy\nndarray\n(K\x01\x85tR.", ErrRefused, "numpy.ndarray"},
		{"eval", "\x80\x02cbuiltins\neval\nU\x041+41}\x86R.", ErrRefused, "builtins.eval"},
		{"eval of other data", "\x80\x02c__builtin__\neval\nU\x04data}U\x04DATANs\x86R.", ErrRefused, "builtins.eval"},
		{"eval of other text", "\x80\x02c__builtin__\neval\nU\x04DATA}U\x04dataNs\x86R.", ErrRefused, "builtins.eval"},
		{"instance", "\x80\x02(i__main__\nModel\n.", ErrRefused, "__main__.Model"},
		{"object", "\x80\x02(c__main__\nModel\no.", ErrRefused, "__main__.Model"},
		{"a global as data", "\x80\x02cnumpy\ndtype\n.", ErrUnsupported, "the global numpy.dtype where data"},
		{"a dtype as data", "\x80\x02](" + fmt.Sprintf(dtypeOf, "f4", "<") + "e.", ErrUnsupported, "a dtype where data"},
		{"call of a string", "\x80\x02U\x01a)R.", ErrDamaged, "a call of a string"},
		{"persistent id", "\x80\x02U\x01aQ.", ErrUnsupported, "persistent id"},
		{"buffer", "\x80\x05\x97.", ErrUnsupported, "a buffer outside the file"},
		{"set", "\x80\x04\x8f.", ErrUnsupported, "a set"},
		{"state for a list", "\x80\x02])b.", ErrUnsupported, "a state for a list"},
		{"array of objects", "\x80\x02" + arrayOf("O8", "|", "K\x01\x85", "\x89", "]"), ErrUnsupported, "NumPy's type O8"},
		{"array never filled", "\x80\x02" + array0 + ".", ErrDamaged, "never filled"},
		{"array too short", "\x80\x02" + arrayOf("f4", "<", "K\x02\x85", "\x89", "U\x04abcd"), ErrDamaged, "of shape [2] takes 8 bytes, but 4 are stored"},
		{"array too long", "\x80\x02" + arrayOf("f4", "<", ")", "\x89", "U\x05abcde"), ErrDamaged, "takes 4 bytes, but 5"},
		{"array of text", "\x80\x02" + arrayOf("f4", "<", ")", "\x89", "X\x04\x00\x00\x00abcd"), ErrUnsupported, "whose data is a string"},
		{"negative size", "\x80\x02" + arrayOf("f4", "<", "J\xff\xff\xff\xff\x85", "\x89", "U\x00"), ErrDamaged, "negative"},
		{"size overflow", "\x80\x02" + arrayOf("f4", "<", "J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87", "\x89", "U\x00"), ErrDamaged, "larger than any file"},
		{"a list in itself", "\x80\x02]q\x00h\x00a.", ErrUnsupported, "holds itself"},
		{"deep", "\x80\x02" + deep, ErrUnsupported, "more than 1000 deep"},
		{"deep through the memo", "\x80\x02(N" + strings.Repeat("\x85", 600) + "q\x00h\x00" + strings.Repeat("\x85", 600) + "l.", ErrUnsupported, "more than 1000 deep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := decode([]byte(c.pickle))
			if err == nil {
				t.Fatalf("no error but %s", Describe(v))
			}
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "pickle: a.pkl: byte ") {
				t.Errorf("error %q, want %v and %q", err, c.kind, c.want)
			}
		})
	}
}

// TestBombs reads pickles that ask for far more than they hold. None may allocate over the limit, and none may take long.
func TestBombs(t *testing.T) {
	text := func(n int) string { return strings.Repeat("x", n) }
	for name, data := range map[string]string{
		"many lists":      "\x80\x02(" + strings.Repeat("]", 1<<20) + "l.",
		"many dicts":      "\x80\x02(" + strings.Repeat("}", 1<<20) + "l.",
		"many marks":      "\x80\x02" + strings.Repeat("(", 1<<20),
		"many nones":      "\x80\x02(" + strings.Repeat("N", 1<<20) + "t.",
		"many memos":      "\x80\x04N" + strings.Repeat("\x94", 1<<20) + ".",
		"sparse memo":     "\x80\x02Nr\x00\x00\x10\x00" + text(1<<20) + ".",
		"many appends":    "\x80\x02]" + strings.Repeat("Na", 1<<19) + ".",
		"nested lists":    "\x80\x02" + strings.Repeat("]", 1<<20) + strings.Repeat("a", 1<<20-1) + ".",
		"nested tuples":   "\x80\x02N" + strings.Repeat("\x85", 1<<20) + ".",
		"doubling tuples": "\x80\x02N" + strings.Repeat("q\x00h\x00\x86", 1000) + ".",
		"many keys": func() string {
			var b strings.Builder
			b.WriteString("\x80\x02}(")
			for i := range 1 << 16 {
				fmt.Fprintf(&b, "M%c%cN", byte(i), byte(i>>8))
			}
			return b.String() + "u."
		}(),
		"many ints as text": "\x80\x02(" + strings.Repeat("I7\n", 1<<18) + "l.",
		"one string many times as bytes": "\x80\x02(X\x00\x00\x10\x00" + text(1<<20) + "q\x00" +
			strings.Repeat("c_codecs\nencode\nh\x00U\x06latin1\x86R", 1<<14) + "l.",
		"many arrays":       "\x80\x02(" + strings.TrimSuffix(arrayOf("u1", "|", ")", "\x89", "U\x01a"), ".") + strings.Repeat("cnumpy\nndarray\n", 4) + "l.",
		"many reconstructs": "\x80\x02(cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nK\x00\x85U\x01b\x87q\x01" + strings.Repeat("h\x00h\x01R", 1<<18) + "l.",
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			used := allocation.Of(func() { _, err = decode([]byte(data)) })
			if used > allocation.Limit(len(data))+int64(len(data)) { // the copy of data
				t.Errorf("%d bytes allocated for %d, the limit is %d", used, len(data), allocation.Limit(len(data)))
			}
			var e *Error
			if !errors.As(err, &e) && name != "doubling tuples" {
				t.Errorf("error %v", err)
			}
		})
	}
}

package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPython compares with what Python 3 makes of the same text.
func TestPython(t *testing.T) {
	number := func(text string) scalar { return scalar{text: text, typed: true} }
	text := func(text string) scalar { return scalar{text: text, quoted: true} }
	one := func(s scalar) value { return value{scalars: []scalar{s}} }
	list := func(s ...scalar) value { return value{scalars: s, isList: true} }
	for in, want := range map[string]value{
		"3":                            one(number("3")),
		" -3 # three":                  one(number("-3")),
		"+3":                           one(number("3")),
		"0x1F":                         one(number("31")),
		"0o17":                         one(number("15")),
		"0b101":                        one(number("5")),
		"2_048":                        one(number("2048")),
		"2048L":                        one(number("2048")),
		"00":                           one(number("0")),
		"0.5":                          one(number("0.5")),
		".5":                           one(number(".5")),
		"5.":                           one(number("5.")),
		"1e-3":                         one(number("1e-3")),
		"99999999999999999999999":      one(number("99999999999999999999999")),
		"True":                         one(number("True")),
		"None":                         one(scalar{text: "None"}),
		"":                             one(scalar{text: "null"}),
		"# nothing":                    one(scalar{text: "null"}),
		"(3)":                          one(number("3")),
		"('a')":                        one(text("a")),
		"[]":                           list(),
		"()":                           list(),
		"( # none\n )":                 list(),
		"[1]":                          list(number("1")),
		"(1,)":                         list(number("1")),
		"1,":                           list(number("1")),
		"1, 'a' ,None":                 list(number("1"), text("a"), scalar{text: "None"}),
		"[1,\n\t2, # two\n\n3,]":       list(number("1"), number("2"), number("3")),
		"'a' \"b\"'''c\nd'''":          one(text("abc\nd")),
		"['a' 'b', 'c']":               list(text("ab"), text("c")),
		`u'a'`:                         one(text("a")),
		`b"a"`:                         one(text("a")),
		`r'a\n\''`:                     one(text(`a\n\'`)),
		`'it\'s'`:                      one(text("it's")),
		`'\\ \n\t\a\q'`:                one(text("\\ \n\t\a\\q")),
		`'\101\x41\u00e9\U0001F600\7'`: one(text("AA\u00e9\U0001F600\a")),
		"'a\\\nb'":                     one(text("ab")),
		"'a#b' # c":                    one(text("a#b")),
		"'é'":                          one(text("é")),
		"data/x.list":                  one(scalar{text: "data/x.list"}),
		"./x.list  # here":             one(scalar{text: "./x.list"}),
		"2018/x#1.list":                one(scalar{text: "2018/x#1.list"}),
		"0100":                         one(scalar{text: "0100"}),
		"inf":                          one(scalar{text: "inf"}),
		"--3":                          one(scalar{text: "--3"}),
		"0x1p-2":                       one(scalar{text: "0x1p-2"}),
		"True and False":               one(scalar{text: "True and False"}),
		"rubber":                       one(scalar{text: "rubber"}),
		"128 * 2":                      one(scalar{text: "128 * 2"}),
		"__import__('os')":             one(scalar{text: "__import__('os')"}),
	} {
		got, err := parsePython(in)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(value{}, scalar{})); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got)\n%s", in, err, diff)
		}
	}
}

func TestPythonRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"[1":            "it ends where",
		"[1 2]":         `"2]" stands where a comma`,
		"[1]]":          `"]" stands where the end`,
		"[1], 2":        `", 2" stands where the end`,
		"[[1], 2]":      `"[1], 2]" stands where a number`,
		"[,]":           `",]" stands where a number`,
		"[1,,2]":        `",2]" stands where a number`,
		"[1)":           `")" stands where a comma`,
		"{'a': 1}":      `"{'a': 1}" stands where a number`,
		"[2*3]":         "write its result",
		"[0100]":        "stands where a number",
		"[1.2.3]":       "stands where a number",
		"['a]":          "lacks its closing '",
		"'''a'":         "lacks its closing '''",
		"'a\nb'":        "lacks its closing '",
		`'a\'`:          "lacks its closing '",
		`'\`:            "lacks its closing '",
		`'\N{DIGIT 1}'`: "write the character itself",
		`'\x4'`:         "is no character",
		`'\u12'`:        "is no character",
		`'\ud800'`:      "is no character",
		`'\U00110000'`:  "is no character",
		`'\0'`:          "zero byte",
		"'a' b":         `"b" stands where a comma`,
	} {
		if got, err := parsePython(in); err == nil || !strings.Contains(err.Error(), "is not a Python literal: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, error %v, want %q", in, got, err, want)
		}
	}
}

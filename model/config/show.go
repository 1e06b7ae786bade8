package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Value is one resolved key.
type Value struct {
	Key    string // SECTION.key
	Value  string // in YAML
	Origin string // where it came from, or "default"
}

// Values are all keys in order.
func (c *Config) Values() []Value {
	var list []Value
	for _, f := range c.fields() {
		origin := c.origin[f.name()]
		if origin == "" {
			origin = "default"
		}
		list = append(list, Value{f.name(), format(f.ptr), origin})
	}
	return list
}

// YAML is the configuration as a file that Parse reads back to the same values, bit for bit.
func (c *Config) YAML() string {
	var b strings.Builder
	section := ""
	for _, f := range c.fields() {
		if f.section != section {
			section = f.section
			fmt.Fprintf(&b, "%s:\n", section)
		}
		fmt.Fprintf(&b, "  %s: %s\n", f.key, format(f.ptr))
	}
	return b.String()
}

// format writes a value in YAML on one line: texts always in quotes, floats always with a dot.
func format(ptr any) string {
	switch p := ptr.(type) {
	case *string:
		return quote(*p)
	case *int:
		return strconv.Itoa(*p)
	case *uint64:
		return strconv.FormatUint(*p, 10)
	case *float64:
		text := strconv.FormatFloat(*p, 'g', -1, 64)
		if strings.Contains(text, ".") {
			return text
		}
		mantissa, exponent, ok := strings.Cut(text, "e")
		if ok {
			exponent = "e" + exponent
		}
		return mantissa + ".0" + exponent
	case *[]int:
		return formatList(*p)
	case *[]string:
		return formatList(*p)
	}
	panic(fmt.Sprintf("config: a field of type %T", ptr))
}

func formatList[T any](list []T) string {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = format(&list[i])
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// quote writes a text as a JSON string, which is a YAML one.
func quote(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err) // a string cannot fail
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Diff names the keys in which two configurations differ, with both values.
func Diff(was, is *Config) []string {
	var list []string
	a, b := was.Values(), is.Values()
	for i := range a {
		if a[i].Value != b[i].Value {
			list = append(list, fmt.Sprintf("%s was %s and is %s", a[i].Key, a[i].Value, b[i].Value))
		}
	}
	return list
}

// DiffOnResume names the keys that may not change between a run and its continuation: all but how
// long to train and where data lies.
func DiffOnResume(was, is *Config) []string {
	return slices.DeleteFunc(Diff(was, is), func(line string) bool {
		key, _, _ := strings.Cut(line, " ")
		return key == "TRAIN.epoch" || strings.HasSuffix(key, ".filelist") || !strings.HasPrefix(key, "MODEL.") && !strings.HasPrefix(key, "TRAIN.")
	})
}

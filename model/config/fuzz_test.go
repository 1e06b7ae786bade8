package config

import (
	"fmt"
	"strings"
	"testing"

	"avcu/io/allocation"

	"github.com/google/go-cmp/cmp"
)

// within calls f, which reads n bytes and may allocate accordingly.
func within(t *testing.T, n int, f func()) {
	t.Helper()
	if used := allocation.Of(f); used > allocation.Limit(n) {
		t.Errorf("%d bytes allocated for %d", used, n)
	}
}

// readsBack checks that what c became reads back as it was understood, unless it is too long for a configuration.
func readsBack(t *testing.T, c *Config) {
	t.Helper()
	text := c.YAML()
	if checkText([]byte(text)) != nil {
		return
	}
	back := New()
	if err := back.Parse([]byte(text), "again"); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if diff := cmp.Diff(c, back, values); diff != "" {
		t.Errorf("(-understood +read back)\n%s", diff)
	}
	if err := c.Validate(); err == nil {
		if err := back.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// FuzzParse parses any text, at a cost in memory that is bounded by its size. What is accepted reads back as it was understood.
func FuzzParse(f *testing.F) {
	for _, text := range []string{paddleINI, paddleYAML, New().YAML(), "", "[MODEL]\ntopk: 3", "MODEL: {name: |\n  x\n}", "MODEL:\n  name: >-\n    a\n    b\n",
		"MODEL: &a {topk: *a, <<: !!map b}", "[TRAIN]\nfilelist = (\"a\"\n  'b',) # c\n", "MODEL:\n  cluster_nums:\n  - 1\n  - 2\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c := New()
		var err error
		within(t, len(text), func() { err = c.Parse(text, "x") })
		if err == nil {
			readsBack(t, c)
		}
	})
}

// FuzzSet sets any key to any value, likewise.
func FuzzSet(f *testing.F) {
	for _, assignment := range []string{"TRAIN.epoch=3", "MODEL.cluster_nums=[32, 32]", "MODEL.name='a'", " TRAIN.learning_rate = 1e-3", "MODEL.dataset=", "MODEL.class_num=7", "TRAIN.seed=18446744073709551615", "INFER.filelist=null", `MODEL.hidden_sizes="(1, 2)"`, "x"} {
		f.Add(assignment)
	}
	f.Fuzz(func(t *testing.T, assignment string) {
		c := New()
		var err error
		within(t, len(assignment), func() { err = c.Set(assignment, "--set") })
		if err == nil {
			readsBack(t, c)
		}
	})
}

// FuzzPython reads any text. What is understood as a literal is understood the same when written as one again.
func FuzzPython(f *testing.F) {
	for _, text := range []string{"[32, 32]", "('a', u\"b\\x41\" 'c',)", "1, 2.5e-3, None", "'''a\n'''", "{", "[[", "0x1F", "a b # c", `'\N'`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkText([]byte(text)) != nil {
			return
		}
		var v value
		var err error
		within(t, len(text), func() { v, err = parsePython(text) })
		if err != nil {
			return
		}
		again, err := parsePython(v.String())
		for _, s := range v.scalars {
			if !s.quoted && !s.typed || s.quoted && strings.ContainsFunc(s.text, func(r rune) bool { return r == '\ufffd' }) {
				return // plain, or a text that JSON writes otherwise
			}
		}
		if diff := cmp.Diff(v, again, cmp.AllowUnexported(value{}, scalar{})); err != nil || diff != "" {
			t.Errorf("%q: %v (-first +again)\n%s", text, err, diff)
		}
	})
}

// TestMemory parses texts on which the libraries spend much memory: as much of each as still passes for a configuration.
func TestMemory(t *testing.T) {
	long := strings.Repeat("x", maxText/2)
	for name, repeated := range map[string]struct{ before, text, after string }{
		"dashes":            {"", "- ", ""},
		"a long key":        {long + ":\n", "- ", ""},
		"anchors":           {"", "&a ", ""},
		"aliases":           {"a: ", "*a ", ""},
		"an anchor as key":  {"&a !b " + long, "\n", ": 1"},
		"tags":              {"a: ", "!a ", ""},
		"quotes":            {"a: ", "'' ", ""},
		"colons":            {"", ": ", ""},
		"a list":            {"MODEL:\n  cluster_nums: [", "1,", "1]"},
		"a map":             {"a: {", "a: 1,", "}"},
		"equals":            {"%", "  =", ""},
		"reserved":          {"", "@", ""},
		"comments":          {"", "#\n", "a: 1"},
		"words":             {"", "a ", ""},
		"an error late":     {"a: {", "  x", " : : @ }"},
		"INI, keys":         {"[MODEL]\n", "a=\n", ""},
		"INI, sections":     {"", "[a]\n", ""},
		"INI, lines":        {"[MODEL]\nname=" + long + "\n", "\t\n", ""},
		"INI, quotes":       {"[MODEL]\nname=\"\"\"", "\n", "\"\"\""},
		"INI, texts":        {"[MODEL]\nname=", "''", ""},
		"INI, a list":       {"[MODEL]\ncluster_nums=[", "1,", "1]"},
		"INI, continuation": {"[MODEL]\nname='", "\\\n", "'"},
	} {
		t.Run(name, func(t *testing.T) {
			text := repeated.before + repeated.after
			for n := 1; ; n++ {
				more := repeated.before + strings.Repeat(repeated.text, n) + repeated.after
				if checkText([]byte(more)) != nil {
					break
				}
				text = more
			}
			within(t, len(text), func() { _ = New().Parse([]byte(text), "x") })
			within(t, len(text), func() { _ = New().Set(fmt.Sprint("MODEL.name=", text), "x") })
		})
	}
}

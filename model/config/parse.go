package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"gopkg.in/ini.v1"
)

// A configuration takes about 1 kB and has some 100 lines and signs. Time and memory of the libraries that parse it grow with
// the product of these numbers, so that it is limited too.
const (
	maxText    = 8 << 10
	maxSigns   = 400
	maxProduct = 600_000
)

// setting is one key of a text. Its value is read when the key turns out to have a meaning.
type setting struct {
	section, key string
	line         int // from 1; 0: unknown
	value        func() (value, error)
}

// parse reads the settings of a YAML or INI text in their order.
func parse(data []byte) ([]setting, error) {
	if err := checkText(data); err != nil {
		return nil, err
	}
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			return parseINI(data)
		}
		break
	}
	return parseYAML(data)
}

// checkText refuses what no configuration looks like, before a library sees it.
func checkText(data []byte) error {
	if len(data) > maxText {
		return fmt.Errorf("not a configuration: larger than %d bytes", maxText)
	}
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return errors.New("not a configuration: not text in UTF-8")
	}
	if signs := count(data); signs > maxSigns || signs*len(data) > maxProduct {
		return fmt.Errorf("not a configuration: %d lines, commas and other signs in %d bytes are more than one needs; shorten comments", signs, len(data))
	}
	return nil
}

// count counts what begins or ends something in YAML or INI, anchors and aliases twice.
func count(data []byte) (signs int) {
	for i, b := range data {
		switch {
		case b == '&' || b == '*':
			signs += 2
		case strings.IndexByte("\n\r:=?,[]{}#!|>%@`'\"", b) >= 0:
			signs++
		case b == '-' && (i+1 == len(data) || strings.IndexByte("- \t\r\n", data[i+1]) >= 0):
			signs++
		}
	}
	return signs
}

func parseYAML(data []byte) ([]setting, error) {
	root, err := yamlNode(data)
	if err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	var settings []setting
	err = members(root, "the text", func(section string, node ast.Node) error {
		return members(node, "section "+section, func(key string, node ast.Node) error {
			settings = append(settings, setting{section, key, node.GetToken().Position.Line, func() (value, error) { return valueOf(node) }})
			return nil
		})
	})
	return settings, err
}

// members calls member for each key of a mapping. Nothing is an empty mapping.
func members(node ast.Node, what string, member func(key string, node ast.Node) error) error {
	if node == nil || node.Type() == ast.NullType {
		return nil
	}
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		return fmt.Errorf("line %d: %s is not a list of `key: value`", node.GetToken().Position.Line, what)
	}
	for _, entry := range mapping.Values {
		key, ok := entry.Key.(*ast.StringNode)
		if !ok {
			return fmt.Errorf("line %d: %.40s is not a key", entry.Key.GetToken().Position.Line, entry.Key.GetToken().Value)
		}
		if err := member(key.Value, entry.Value); err != nil {
			return err
		}
	}
	return nil
}

// quoted is a comment on a line of its own or a text in double quotes; blockText, where none is left, the opening of a text in
// the lines below.
var (
	quoted    = regexp.MustCompile(`(?m)^[ \t]*#.*$|"([^"\\\r\n]|\\[^\r\n])*"`)
	blockText = regexp.MustCompile(`(?m)(^|\W)[|>][-+0-9]*[ \t]*([ \t]#.*)?\r?$`)
)

// yamlNode returns the tree of the one document in data, nil if it is empty.
func yamlNode(data []byte) (ast.Node, error) {
	if blockText.Match(quoted.ReplaceAll(data, nil)) { // the parser's memory grows with the square of its length
		return nil, errors.New("a text in lines below a | or > is not understood here: write it in quotes")
	}
	file, err := parser.ParseBytes(data, 0)
	var short interface {
		FormatError(colored, quoted bool) string
	} // Error quotes the text too, at great cost
	if errors.As(err, &short) {
		return nil, errors.New(short.FormatError(false, false))
	}
	if err != nil {
		return nil, errors.New(firstLine(err))
	}
	if len(file.Docs) > 1 {
		return nil, errors.New("more than one document")
	}
	if len(file.Docs) == 0 {
		return nil, nil
	}
	return file.Docs[0].Body, nil
}

// parseINI reads Paddle's older form as Paddle does: names of sections in any case, keys too, values in Python.
func parseINI(data []byte) ([]setting, error) {
	file, err := ini.LoadSources(ini.LoadOptions{
		IgnoreInlineComment: true, IgnoreContinuation: true, PreserveSurroundedQuote: true, AllowPythonMultilineValues: true,
		AllowShadows: true, AllowDuplicateShadowValues: true,
	}, data)
	if err != nil {
		return nil, fmt.Errorf("not an INI file: %s", firstLine(err))
	}
	var settings []setting
	seen := map[string]bool{}
	for _, section := range file.Sections() {
		for _, key := range section.Keys() {
			s := setting{section: strings.ToUpper(section.Name()), key: strings.ToLower(key.Name()), line: lineOf(data, section.Name(), key.Name())}
			if name := s.section + "." + s.key; seen[name] || len(key.ValueWithShadows()) > 1 {
				return nil, fmt.Errorf("line %d: %s comes twice", s.line, name)
			} else {
				seen[name] = true
			}
			text := key.Value()
			s.value = func() (value, error) {
				if strings.Contains(text, "%(") {
					return value{}, errors.New("%(…)s takes over another value, which is not understood here: write the value itself")
				}
				return parsePython(strings.ReplaceAll(text, "%%", "%"))
			}
			settings = append(settings, s)
		}
	}
	return settings, nil
}

// lineOf is the line, from 1, on which a key of an INI text first stands; 0 if it is not found.
func lineOf(data []byte, section, key string) int {
	number, current := 0, ini.DefaultSection
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			current = strings.TrimSuffix(line[1:], "]")
		}
		if end := strings.IndexAny(line, "=:"); end >= 0 && current == section && strings.TrimSpace(line[:end]) == key {
			return number
		}
	}
	return 0
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// value is a scalar or a list of scalars as it is written.
type value struct {
	scalars []scalar
	isList  bool
}

type scalar struct {
	text   string
	quoted bool // text, whatever it looks like
	typed  bool // not quoted, and a number or a truth value to YAML
}

func (s scalar) isNull() bool {
	return !s.quoted && slices.Contains([]string{"", "~", "null", "Null", "NULL", "None"}, s.text)
}

func (v value) String() string {
	var texts []string
	for _, s := range v.scalars {
		text := s.text
		if s.quoted {
			text = quote(text)
		}
		texts = append(texts, text)
	}
	if v.isList {
		return "[" + strings.Join(texts, ", ") + "]"
	}
	return strings.Join(texts, ", ")
}

// parseValue reads a YAML value. Nothing is null.
func parseValue(text string) (value, error) {
	err := checkText([]byte(text))
	var node ast.Node
	if err == nil {
		node, err = yamlNode([]byte(text))
	}
	if err != nil {
		return value{}, fmt.Errorf("the value %.100q is not YAML: %w", text, err)
	}
	return valueOf(node)
}

func valueOf(node ast.Node) (value, error) {
	if node == nil {
		return value{scalars: []scalar{{text: "null"}}}, nil
	}
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		s, err := scalarOf(node)
		return value{scalars: []scalar{s}}, err
	}
	v := value{isList: true}
	for _, item := range list.Values {
		s, err := scalarOf(item)
		if err != nil {
			return value{}, err
		}
		v.scalars = append(v.scalars, s)
	}
	return v, nil
}

func scalarOf(node ast.Node) (scalar, error) {
	switch n := node.(type) {
	case *ast.StringNode:
		return scalar{text: n.Value, quoted: strings.HasSuffix(n.Token.Type.String(), "Quote")}, nil
	case *ast.LiteralNode:
		return scalar{text: n.Value.Value, quoted: true}, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return scalar{text: n.GetToken().Value, typed: true}, nil
	case *ast.NullNode:
		return scalar{text: "null"}, nil
	}
	return scalar{}, errors.New("must be a plain value or a list of them")
}

// assign stores a value where ptr points, if it is of that type.
//
// A text where a number or a list is wanted counts as what it says: Paddle's reader of YAML does the
// same to every text, so that "[32, 32]" in quotes and 1e-3 without a dot mean what they look like.
func assign(ptr any, v value) error {
	if _, wantsText := ptr.(*string); !wantsText && !v.isList && !v.scalars[0].typed && !v.scalars[0].isNull() {
		if literal, err := parsePython(v.scalars[0].text); err == nil && (literal.isList || literal.scalars[0].typed) {
			v = literal
		}
	}
	switch p := ptr.(type) {
	case *[]int:
		return assignList(p, v, "whole numbers, such as [32, 32]", scalar.int)
	case *[]string:
		return assignList(p, v, "names, such as [rgb, audio]", scalar.name)
	}
	if v.isList {
		return fmt.Errorf("%v is a list; one value is wanted", v)
	}
	s := v.scalars[0]
	var err error
	switch p := ptr.(type) {
	case *string:
		if s.isNull() {
			*p = ""
		} else {
			*p, err = s.name()
		}
	case *int:
		*p, err = s.int()
	case *uint64:
		*p, err = s.uint64()
	case *float64:
		*p, err = s.float64()
	}
	return err
}

func assignList[T any](p *[]T, v value, want string, convert func(scalar) (T, error)) error {
	if !v.isList {
		return fmt.Errorf("%v is not a list of %s", v, want)
	}
	list := make([]T, len(v.scalars))
	for i, s := range v.scalars {
		var err error
		if list[i], err = convert(s); err != nil {
			return fmt.Errorf("%w; wanted are %s", err, want)
		}
	}
	*p = list
	return nil
}

func (s scalar) name() (string, error) {
	if s.typed || s.isNull() {
		return "", fmt.Errorf("%s is not a text; put it in quotes if it is meant as one", s.text)
	}
	return s.text, nil
}

func (s scalar) int() (int, error) {
	n, err := strconv.Atoi(s.text)
	if err != nil || s.quoted {
		return 0, s.isNot("a whole number")
	}
	if digits := strings.TrimLeft(s.text, "+-"); len(digits) > 1 && digits[0] == '0' {
		return 0, s.isNot("a whole number without leading zeros, which would be octal")
	}
	return n, nil
}

func (s scalar) uint64() (uint64, error) {
	n, err := strconv.ParseUint(s.text, 10, 64)
	if err != nil || s.quoted {
		return 0, s.isNot("a whole number from 0 to 2^64-1")
	}
	return n, nil
}

// float64 takes 1e-5 too, which has no dot and so is a text to YAML 1.1.
func (s scalar) float64() (float64, error) {
	x, err := strconv.ParseFloat(s.text, 64)
	if err != nil || s.quoted || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0, s.isNot("a finite number")
	}
	return x, nil
}

func (s scalar) isNot(what string) error {
	return fmt.Errorf("%v is not %s", value{scalars: []scalar{s}}, what)
}

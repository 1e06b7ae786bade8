package config

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
)

// ignored are keys that Paddle's configs have and that mean nothing here, those of its first release last.
var ignored = []string{"use_gpu", "num_gpus", "bone_network", "pretrain_base", "dataset", "feature_num", "UNIQUE", "gpu_num", "bone_nework"}

// renamed are names that keys had in Paddle's first release.
var renamed = map[string]string{"MODEL.class_num": "num_classes"}

// sections in the order in which they are shown and stored.
var sections = []string{"MODEL", "TRAIN", "VALID", "TEST", "INFER"}

// Load takes over a built-in configuration (youtube8m or flash-mnist, all of it but seed and file lists)
// or what a file says. The file is YAML or Paddle's INI form, told apart by content.
func (c *Config) Load(name string) error {
	if b, ok := builtin(name); ok {
		from := b.fields()
		for i, f := range c.fields() {
			if f.key != "filelist" && f.key != "seed" {
				reflect.ValueOf(f.ptr).Elem().Set(reflect.ValueOf(from[i].ptr).Elem())
				c.origin[f.name()] = "built-in " + name
			}
		}
		return nil
	}
	info, err := os.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("config: %s: no such file, and no built-in configuration of that name (there are youtube8m and flash-mnist)", name)
	} else if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("config: %s: not a regular file; name the configuration file itself", name)
	}
	if info.Size() > maxText {
		return fmt.Errorf("config: %s: not a configuration file: larger than %d bytes", name, maxText)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return c.parse(data, name, true)
}

// Parse takes over what a text says: YAML, or INI if the first line that says anything begins with a
// bracket. An error names origin, the line where it is known, and the key; c is then half changed.
func (c *Config) Parse(data []byte, origin string) error { return c.parse(data, origin, false) }

// parse is Parse; with lines, each value remembers its line too, as in "my.yaml:3".
func (c *Config) parse(data []byte, origin string, lines bool) error {
	settings, err := parse(data)
	if err != nil {
		return fmt.Errorf("config: %s: %w", origin, err)
	}
	for _, s := range settings {
		from := origin
		if lines && s.line > 0 {
			from = fmt.Sprintf("%s:%d", origin, s.line)
		}
		if err := c.set(s, from); err != nil {
			if s.line > 0 {
				err = fmt.Errorf("line %d: %w", s.line, err)
			}
			return fmt.Errorf("config: %s: %w", origin, err)
		}
	}
	return nil
}

// Set gives a key its value from "SECTION.key=value", value in YAML.
func (c *Config) Set(assignment, origin string) error {
	name, text, ok := strings.Cut(assignment, "=")
	section, key, dot := strings.Cut(strings.TrimSpace(name), ".")
	if !ok || !dot {
		return fmt.Errorf("config: %s: %.200q is not SECTION.key=value", origin, assignment)
	}
	s := setting{section: section, key: key, value: func() (value, error) { return parseValue(text) }}
	if err := c.set(s, origin); err != nil {
		return fmt.Errorf("config: %s: %w", origin, err)
	}
	return nil
}

// set takes over one setting.
func (c *Config) set(s setting, origin string) error {
	if !slices.Contains(sections, s.section) {
		return fmt.Errorf("unknown section %.100s; did you mean %s? (There are %s.)", s.section,
			nearest(s.section, sections), strings.Join(sections, ", "))
	}
	if key, ok := renamed[s.section+"."+s.key]; ok {
		s.key = key
	}
	var names []string
	for _, f := range c.fields() {
		if f.section == s.section && f.key == s.key {
			v, err := s.value()
			if err == nil {
				err = assign(f.ptr, v)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", f.name(), err)
			}
			c.origin[f.name()] = origin
			return nil
		}
		names = append(names, f.name())
	}
	name := s.section + "." + s.key
	if slices.Contains(ignored, s.key) {
		notice := name + " means nothing here and is ignored"
		if !slices.Contains(c.Notices, notice) {
			c.Notices = append(c.Notices, notice)
		}
		return nil
	}
	return fmt.Errorf("unknown key %.100s; did you mean %s?", name, nearest(name, names))
}

// nearest is the known name with the fewest changed letters in its last part, then in its first.
func nearest(name string, known []string) string {
	parts := func(name string) (section, key string) {
		section, key, dot := strings.Cut(strings.ToLower(name), ".")
		if !dot {
			return "", section
		}
		return section, key
	}
	section, key := parts(name)
	return slices.MinFunc(known, func(a, b string) int {
		sectionA, keyA := parts(a)
		sectionB, keyB := parts(b)
		return cmp.Or(cmp.Compare(distance(key, keyA), distance(key, keyB)),
			cmp.Compare(distance(section, sectionA), distance(section, sectionB)))
	})
}

// distance is the number of letters to insert, delete or replace (Levenshtein). A long word counts by its beginning.
func distance(a, b string) int {
	a = a[:min(len(a), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

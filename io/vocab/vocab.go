// Package vocab reads the names of classes: YouTube-8M's vocabulary.csv, or one name a line.
package vocab

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxFile   = 64 << 20 // bytes; the vocabulary of YouTube-8M has 2 MB
	maxCommas = 1000     // on a line of a CSV file: a column takes many times its size in memory
)

// Read returns the name of each of so many classes. A CSV file is known by a header that has the
// columns Index and Name; classes that it does not list have an empty name. Of a plain file, line k is
// the name of class k from 0 on, and there must be a line for each; blank lines name a class nothing,
// and more of them at the end do no harm. An error names the file, and the line where one is at fault.
func Read(path string, classes int) ([]string, error) {
	names, err := read(path, classes)
	if err != nil {
		return nil, fmt.Errorf("vocab: %s: %w", path, err)
	}
	return names, nil
}

func read(path string, classes int) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, errors.New("not a file of class names (a folder, or larger than 64 MB)")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, errors.New("not text in UTF-8: convert it first")
	}
	head, _, _ := bytes.Cut(data, []byte("\n"))
	if bytes.Count(head, []byte(",")) > maxCommas {
		return readLines(data, classes)
	}
	columns, err := csv.NewReader(bytes.NewReader(head)).Read()
	index, name := slices.Index(columns, "Index"), slices.Index(columns, "Name")
	if err == nil && index >= 0 && name >= 0 {
		return readCSV(data, index, name, classes)
	}
	return readLines(data, classes)
}

func readLines(data []byte, classes int) ([]string, error) {
	names := make([]string, 0, min(classes, bytes.Count(data, []byte("\n"))+1))
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		name := strings.TrimRight(line, "\r\n")
		if len(names) < classes {
			names = append(names, name)
		} else if name != "" {
			return nil, fmt.Errorf("line %d: more names than the model's %d classes; give the list that belongs to the weights", number, classes)
		}
	}
	if len(names) < classes {
		return nil, fmt.Errorf("%d lines for %d classes; the file must name each class on its line", len(names), classes)
	}
	return names, nil
}

func readCSV(data []byte, index, name, classes int) ([]string, error) {
	number := 0
	for line := range bytes.Lines(data) {
		if number++; bytes.Count(line, []byte(",")) > maxCommas {
			return nil, fmt.Errorf("line %d: more than %d commas: not a vocabulary", number, maxCommas)
		}
	}
	r := csv.NewReader(bytes.NewReader(data))
	if _, err := r.Read(); err != nil {
		return nil, err
	}
	names, lines := make([]string, classes), make([]int, classes)
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return names, nil
		} else if err != nil {
			return nil, fmt.Errorf("%w; a name with a comma, a quote or a line end in it stands in quotes, and a quote in it is doubled", err)
		}
		line, _ := r.FieldPos(index)
		k, err := strconv.Atoi(row[index])
		switch {
		case err != nil || k < 0:
			return nil, fmt.Errorf("line %d: index %q is not a class number", line, row[index])
		case k >= classes:
			return nil, fmt.Errorf("line %d: class %d, and the model has %d; give the vocabulary that belongs to the weights", line, k, classes)
		case lines[k] > 0:
			return nil, fmt.Errorf("line %d: class %d is named twice, first on line %d", line, k, lines[k])
		}
		names[k], lines[k] = row[name], line
	}
}

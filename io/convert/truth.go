package convert

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// A labelled video is a line of a truth file.
type labelled struct {
	id     string
	labels []int32
}

// readTruth reads a CSV file of ids and labels in its order: an id, then the numbers of its classes, in one column with spaces,
// commas, semicolons or bars between them, or in a column each. There may be a heading. A video without labels has an empty
// second column.
func readTruth(name string) ([]labelled, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	defer f.Close()
	list, err := parseTruth(f)
	if err != nil {
		return nil, fmt.Errorf("convert: %s: %w", name, err)
	}
	return list, nil
}

func parseTruth(r io.Reader) (list []labelled, err error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord, rows.TrimLeadingSpace, rows.ReuseRecord = -1, true, true
	lines := map[string]int{} // by id
	for first := true; ; first = false {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: write lines such as id,3 17 42", err)
		}
		line, _ := rows.FieldPos(0)
		id := strings.TrimSpace(strings.TrimPrefix(row[0], "\ufeff"))
		text := strings.Join(row[1:], " ")
		switch {
		case first && len(row) > 1 && text != "" && !strings.ContainsAny(text, "0123456789"):
			continue // a heading
		case len(row) < 2:
			return nil, fmt.Errorf("line %d: one column: write the id, a comma and the labels with spaces between them (nothing after the comma for a video without labels)", line)
		case id == "":
			return nil, fmt.Errorf("line %d: no id: write lines such as id,3 17 42", line)
		case lines[id] > 0:
			return nil, fmt.Errorf("line %d: id %q is on line %d too: write all its labels on one line", line, id, lines[id])
		case strings.ContainsAny(id, `/\`) || id == "." || id == "..":
			return nil, fmt.Errorf("line %d: id %q is no name of a file: choose ids without slashes", line, id)
		}
		lines[id] = line
		labels, err := parseLabels(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		list = append(list, labelled{id, labels})
	}
	if len(list) == 0 {
		return nil, errors.New("no line with an id and labels: write lines such as id,3 17 42")
	}
	return list, nil
}

func parseLabels(text string) (labels []int32, err error) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t,;|", r) }) {
		label, err := strconv.ParseInt(word, 10, 64)
		if err != nil || label < 0 || label > math.MaxInt32 {
			return nil, fmt.Errorf("label %q, expected the number of a class, from 0: write lines such as id,3 17 42", word)
		}
		labels = append(labels, int32(label))
	}
	return labels, nil
}

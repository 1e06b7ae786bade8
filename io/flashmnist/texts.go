package flashmnist

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

const (
	LabelsFile      = "labels.txt"       // a class's name a line: "none", "0", "1", "0 1", …
	TruthFile       = "truth-test.jsonl" // a Truth a line, of each test video
	DescriptionFile = "flash-mnist.json" // the Description, written last
)

// Truth says what a video shows.
type Truth struct {
	ID     string      `json:"id"`
	Class  int         `json:"class"`
	Frames [Frames]int `json:"frames"` // the digit of each frame, NoDigit for noise
}

// Description says how a data set was made: with it and MNIST each video's frames can be made again.
type Description struct {
	Seed          uint64 `json:"seed"`
	TrainPerClass int    `json:"train_per_class"`
	TestPerClass  int    `json:"test_per_class"`
	Width         int    `json:"width"`
	Scale         *Scale `json:"scale"`
	Values        int64  `json:"values"`
	Clipped       int64  `json:"clipped"`
}

// writeTexts writes the three files beside the shards.
func (w *writer) writeTexts(s *Source) error {
	var labels, truths bytes.Buffer
	for class := range Classes {
		fmt.Fprintln(&labels, ClassName(class))
	}
	test, err := s.Videos(Test, w.TestPerClass)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(&truths)
	for i := range test.Len() {
		if err := lines.Encode(Truth{ID: test.ID(i), Class: test.Class(i), Frames: test.Truth(i)}); err != nil {
			return fmt.Errorf("flashmnist: write: %s: %w", TruthFile, err)
		}
	}
	description, err := json.MarshalIndent(Description{
		Seed: s.seed, TrainPerClass: w.TrainPerClass, TestPerClass: w.TestPerClass, Width: w.Width,
		Scale: w.report.Scale, Values: w.report.Values, Clipped: w.report.Clipped,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("flashmnist: write: %s: %w", DescriptionFile, err)
	}
	for _, file := range []struct {
		name string
		data []byte
	}{{LabelsFile, labels.Bytes()}, {TruthFile, truths.Bytes()}, {DescriptionFile, append(description, '\n')}} {
		if err := os.WriteFile(filepath.Join(w.Dir, file.name), file.data, 0o666); err != nil {
			return fmt.Errorf("flashmnist: write: %w", err)
		}
	}
	return nil
}

// ReadDescription reads the description of the data set in the folder dir.
func ReadDescription(dir string) (*Description, error) {
	path := filepath.Join(dir, DescriptionFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("flashmnist: %w: make the data set with `avcu data flash-mnist`", err)
	}
	d := &Description{}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("flashmnist: %s: %w: make the data set again", path, err)
	}
	return d, nil
}

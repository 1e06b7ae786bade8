package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"avcu/engine"
	"avcu/model"
	"avcu/model/train"
)

// runFolder is where a training leaves what it makes: a train.Sink.
type runFolder struct {
	dir      string
	keep     int
	metrics  *os.File
	log      io.Writer
	bar      *progress
	dev      engine.Device
	params   *model.Params
	at       position // what does not change in it while training
	validate func() (line map[string]any, score float64, err error)
	saved    train.State
}

// openRunFolder makes the folder, tries whether it can be written, and opens the metrics. With resume,
// lines about steps after step are dropped.
func openRunFolder(dir string, resume bool, step int64) (*runFolder, error) {
	f := &runFolder{dir: dir}
	if err := readyFolder(f.checkpoints()); err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	path := filepath.Join(dir, "metrics.jsonl")
	if resume {
		if err := cutMetrics(path, step); err != nil {
			return nil, err
		}
	} else if entries, err := os.ReadDir(f.checkpoints()); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("run folder: %s already holds checkpoints; go on with --resume, or name another --save-dir", dir)
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if !resume {
		flags |= os.O_TRUNC
	}
	var err error
	if f.metrics, err = os.OpenFile(path, flags, 0o666); err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	return f, nil
}

func (f *runFolder) checkpoints() string { return filepath.Join(f.dir, "checkpoints") }

// cutMetrics drops the lines of steps after step, which will be done again.
func cutMetrics(path string, step int64) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	var kept strings.Builder
	s := bufio.NewScanner(strings.NewReader(string(data)))
	s.Buffer(nil, len(data)+1)
	for s.Scan() {
		var line struct {
			Step int64 `json:"step"`
		}
		if json.Unmarshal(s.Bytes(), &line) == nil && line.Step <= step {
			kept.Write(s.Bytes())
			kept.WriteByte('\n')
		}
	}
	aside := path + ".tmp"
	if err := os.WriteFile(aside, []byte(kept.String()), 0o666); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	return os.Rename(aside, path)
}

func (f *runFolder) Close() error { return f.metrics.Close() }

func (f *runFolder) line(values map[string]any) error {
	text, err := json.Marshal(values)
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	if _, err := f.metrics.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	return nil
}

// Step implements train.Sink.
func (f *runFolder) Step(s train.State, loss, rate float64, logged bool, videosPerSecond, dataWait float64) error {
	f.bar.step(s, loss)
	if !logged {
		return nil
	}
	if !f.bar.shown() {
		fmt.Fprintf(f.log, "step %d  epoch %d  loss %.5g  lr %.3g  %.0f videos/s\n", s.Step, s.Epoch+1, loss, rate, videosPerSecond)
	}
	return f.line(map[string]any{"step": s.Step, "epoch": s.Epoch + 1, "loss": loss, "learning_rate": rate,
		"videos_per_second": videosPerSecond, "data_wait_fraction": dataWait})
}

// Validate implements train.Sink.
func (f *runFolder) Validate(s train.State) error {
	line, score, err := f.validate()
	if err != nil {
		return fmt.Errorf("validation: %w", err)
	}
	line["split"], line["step"], line["epoch"] = "valid", s.Step, s.Epoch
	if err := f.line(line); err != nil {
		return err
	}
	text, _ := json.Marshal(line)
	f.bar.print(f.log, fmt.Sprintf("epoch %d: %s", s.Epoch, text))
	if score <= f.at.Best {
		return nil
	}
	f.at.Best = score
	if err := f.Checkpoint(s); err != nil {
		return err
	}
	return f.link(f.stepFile(s.Step), "best.safetensors")
}

func (f *runFolder) stepFile(step int64) string {
	return filepath.Join(f.checkpoints(), fmt.Sprintf("step-%d.safetensors", step))
}

// Checkpoint implements train.Sink.
func (f *runFolder) Checkpoint(s train.State) error {
	if s == f.saved && s.Step > 0 {
		return nil
	}
	p := f.at
	p.State = s
	path := f.stepFile(s.Step)
	if err := writeCheckpoint(path, f.dev, f.params, p); err != nil {
		return fmt.Errorf("checkpoint of step %d: %w", s.Step, err)
	}
	f.saved = s
	if err := f.link(path, "last.safetensors"); err != nil {
		return err
	}
	return f.prune()
}

// link makes name another name of file, at once.
func (f *runFolder) link(file, name string) error {
	to := filepath.Join(f.checkpoints(), name)
	aside := to + ".tmp"
	_ = os.Remove(aside)
	if err := os.Link(file, aside); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := os.Rename(aside, to); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	// Where both names already are one file, renaming leaves the first.
	_ = os.Remove(aside)
	return nil
}

// steps are the checkpoints of a run folder by step, lowest first.
func (f *runFolder) steps() ([]int64, error) {
	entries, err := os.ReadDir(f.checkpoints())
	if err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	var steps []int64
	for _, e := range entries {
		text, ok := strings.CutPrefix(strings.TrimSuffix(e.Name(), ".safetensors"), "step-")
		if n, err := strconv.ParseInt(text, 10, 64); ok && err == nil && strings.HasSuffix(e.Name(), ".safetensors") {
			steps = append(steps, n)
		}
	}
	slices.Sort(steps)
	return steps, nil
}

// prune removes all but the newest checkpoints.
func (f *runFolder) prune() error {
	steps, err := f.steps()
	if err != nil {
		return err
	}
	for _, n := range steps[:max(0, len(steps)-f.keep)] {
		if err := os.Remove(f.stepFile(n)); err != nil {
			return fmt.Errorf("checkpoint: removing an old one: %w", err)
		}
	}
	return nil
}

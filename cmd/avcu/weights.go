package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"avcu/io/paddle"
	"avcu/io/safetensors"
	"avcu/model/config"
	"avcu/model/train"
)

// Names that checkpoints give to what Adam keeps of a parameter.
const (
	firstMoment  = "adam.m."
	secondMoment = "adam.v."
)

// tensorFile is an open file of named tensors, in any of the forms that are read.
type tensorFile interface {
	Raw(name string) (*io.SectionReader, error)
	ReadFloat32(name string, dst []float32) error
	ReadFloat32At(name string, first int, dst []float32) error
	Close() error
}

// tensorInfo describes a tensor; types are named as NumPy does.
type tensorInfo struct {
	Name  string
	Type  string
	Shape []int
}

// weights are tensors under the names that checkpoints use, whatever the form they are stored in.
type weights struct {
	path string // of the file, or Paddle's folder
	form string // for people
	at   position
	own  bool // written by avcu train: position and configuration are known

	nameless bool // of a file without names, and no configuration gave them

	list  []tensorInfo
	place map[string]place // by name
	files []tensorFile
}

// place is where a tensor is stored.
type place struct {
	tensorInfo
	file   tensorFile
	stored string // its name there
}

// openWeights opens the weights at path: a checkpoint or a run folder, any of Paddle's forms, or
// "published". Configure gives the configuration from what is stored with them, which is empty for Paddle's;
// it names the tensors of files that hold no names.
func openWeights(c *cli.Context, path string, configure func(stored string) (*config.Config, error)) (*weights, *config.Config, error) {
	name := path
	path, err := findWeights(c, path)
	if err != nil {
		return nil, nil, err
	}
	own, err := safetensors.Is(path)
	if err != nil {
		return nil, nil, fmt.Errorf("weights: %w", err)
	}
	w := &weights{path: path, place: map[string]place{}, at: position{Best: -1}}
	if own {
		err = w.openCheckpoint()
	}
	var cfg *config.Config
	if err == nil {
		cfg, err = configure(w.at.Config)
	}
	if err == nil && !own {
		if err = w.openPaddle(cfg); err != nil && name == publishedName {
			err = fmt.Errorf("%w; delete %s to fetch the published weights again, or put a good file there", err, path)
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, w.Close())
	}
	return w, cfg, nil
}

// findWeights is the file or Paddle folder that a path means: itself, the best or last checkpoint of a run
// folder, the file that Paddle made of a prefix, or what was published.
func findWeights(c *cli.Context, path string) (string, error) {
	if path == publishedName {
		return fetchPublished(c)
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(path + ".pdparams"); err == nil {
			return path + ".pdparams", nil
		}
	}
	if err != nil {
		return "", fmt.Errorf("weights: %w: name a checkpoint, a run folder, or weights of Paddle (a folder, .pdparams or .tar.gz)", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	for _, name := range []string{"checkpoints/best.safetensors", "checkpoints/last.safetensors", "best.safetensors", "last.safetensors"} {
		file := filepath.Join(path, name)
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	return path, nil
}

func (w *weights) openCheckpoint() error {
	f, err := safetensors.Open(w.path)
	if err != nil {
		return err
	}
	w.form, w.files = "safetensors", append(w.files, f)
	for _, t := range f.Tensors() {
		w.add(tensorInfo{t.Name, numpyTypes[t.DType], t.Shape}, f, t.Name)
	}
	w.at, err = parsePosition(w.path, f.Metadata())
	w.own = w.at.Config != ""
	return err
}

// openPaddle opens Paddle's weights, with the optimiser's state that lies beside a .pdparams file.
func (w *weights) openPaddle(cfg *config.Config) error {
	var names []string
	if cfg != nil {
		for _, d := range specOf(cfg.Model).Decls() {
			names = append(names, d.Name)
		}
	}
	f, err := paddle.Open(w.path, names...)
	if err != nil {
		return err
	}
	w.form, w.nameless, w.files = "Paddle", f.Nameless(), append(w.files, f)
	steps, known, err := w.addPaddle(f)
	if stem, ok := strings.CutSuffix(w.path, ".pdparams"); ok && err == nil && !known {
		if _, missing := os.Stat(stem + ".pdopt"); missing == nil {
			state, err := paddle.Open(stem + ".pdopt")
			if err != nil {
				return err
			}
			w.files = append(w.files, state)
			if err := state.Rename(f.ParameterNames()); err != nil {
				return fmt.Errorf("weights: %s.pdopt: %w", stem, err)
			}
			if steps, _, err = w.addPaddle(state); err != nil {
				return err
			}
		}
	}
	w.at.Step = steps
	return err
}

// addPaddle adds the tensors of f under the names that checkpoints use. The powers of Adam's betas are counted
// as steps instead.
func (w *weights) addPaddle(f *paddle.Weights) (steps int64, known bool, err error) {
	for _, t := range f.Tensors() {
		name := t.Name
		switch of, kind := paddle.Split(t.Name); kind {
		case paddle.Moment1:
			name = firstMoment + of
		case paddle.Moment2:
			name = secondMoment + of
		case paddle.Beta1Pow, paddle.Beta2Pow:
			continue
		}
		w.add(tensorInfo{name, string(t.DType), t.Shape}, f, t.Name)
	}
	if steps, known, err = f.Steps(train.Beta1, train.Beta2); err != nil {
		err = fmt.Errorf("weights: %s: %w", w.path, err)
	}
	return steps, known, err
}

func (w *weights) add(t tensorInfo, f tensorFile, stored string) {
	w.list = append(w.list, t)
	w.place[t.Name] = place{t, f, stored}
}

// Close closes the files.
func (w *weights) Close() error {
	var errs []error
	for _, f := range w.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

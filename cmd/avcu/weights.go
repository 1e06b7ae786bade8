package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"avcu/engine"
	"avcu/io/paddle"
	"avcu/io/published"
	"avcu/io/safetensors"
	"avcu/model"
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

// publishedName stands for the weights that PaddlePaddle published, where a path is asked for.
const publishedName = "published"

const publishedFile = "attention_cluster_youtube8m.tar.gz"

// openWeights opens the weights at path: a checkpoint or a run folder, any of Paddle's forms, or
// "published". Configure gives the configuration from what is stored with them, which is empty for Paddle's;
// it names the tensors of files that hold no names.
func openWeights(c *cli.Context, path string, configure func(stored string) (*config.Config, error)) (*weights, *config.Config, error) {
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
		err = w.openPaddle(cfg)
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

// fetchPublished is the path of the published weights, which are downloaded at the first time.
func fetchPublished(c *cli.Context) (string, error) {
	folder, err := published.Folder("avcu")
	if err != nil {
		return "", err
	}
	var bar *progress
	cache := published.Cache{
		Folder: folder, Server: published.PaddleServer, Offline: c.Bool("offline"), Check: published.Gzip,
		Say: func(line string) { bar.print(c.App.ErrWriter, line) },
		Progress: func(done, total int64) {
			if bar == nil {
				bar = newProgress(c.App.ErrWriter, "downloading", total)
			}
			bar.set(done)
		},
	}
	if mirror := os.Getenv("AVCU_WEIGHTS_URL"); mirror != "" {
		cache.Server = mirror
	}
	ctx, stop := interruptible()
	defer stop()
	path, err := cache.Get(ctx, publishedFile)
	bar.finish()
	if errors.Is(err, context.Canceled) {
		err = fmt.Errorf("%w: %w", train.ErrInterrupted, err)
	}
	return path, err
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
	var want []paddle.Info
	if cfg != nil {
		for _, d := range specOf(cfg.Model).Decls() {
			want = append(want, paddle.Info{Name: d.Name, Shape: d.Shape})
		}
	}
	f, err := paddle.Open(w.path, want...)
	if err != nil {
		return err
	}
	w.form, w.files = "Paddle", append(w.files, f)
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

// moments reports that there is what Adam keeps of a parameter.
func (w *weights) moments() bool {
	return slices.ContainsFunc(w.list, func(t tensorInfo) bool { return strings.HasPrefix(t.Name, firstMoment) })
}

// parameter reports that a tensor is no state of an optimiser.
func (w *weights) parameter(t tensorInfo) bool {
	_, kind := paddle.Split(t.Name)
	return kind == paddle.Parameter && strings.Contains(t.Type, "float") && !strings.HasPrefix(t.Name, firstMoment) && !strings.HasPrefix(t.Name, secondMoment)
}

// read puts a tensor into memory of the device. Its values must be finite.
func (w *weights) read(d engine.Device, name string, to engine.Tensor) error {
	p := w.place[name]
	data := make([]float32, to.Len())
	if err := p.file.ReadFloat32(p.stored, data); err != nil {
		return err
	}
	for i, x := range data {
		if x-x != 0 {
			return fmt.Errorf("weights: %s: %s is %v at element %d: the training that made it had diverged, or the file is damaged; use other weights", w.path, name, x, i)
		}
	}
	return engine.Write(d, to, data)
}

// load reads all parameters, and with moments what Adam keeps of them. What does not fit is listed.
func (w *weights) load(d engine.Device, params *model.Params, moments bool) error {
	type target struct {
		name string
		to   engine.Tensor
	}
	var all []target
	var wrong []string
	need := func(name string, shape []int, to engine.Tensor) {
		all = append(all, target{name, to})
		wrong = append(wrong, w.misfit(name, shape)...)
	}
	for _, q := range params.List {
		need(q.Name, q.Shape, q.Value)
		if moments {
			need(firstMoment+q.Name, q.Shape, q.M)
			need(secondMoment+q.Name, q.Shape, q.V)
		}
	}
	if err := w.fits(wrong); err != nil {
		return err
	}
	for _, t := range all {
		if err := w.read(d, t.name, t.to); err != nil {
			return err
		}
	}
	return nil
}

// misfit says what is wrong with the tensor that should have this name and shape; nothing if it is there.
func (w *weights) misfit(name string, shape []int) []string {
	p, ok := w.place[name]
	switch {
	case !ok:
		return []string{fmt.Sprintf("expected %s %v, which is missing", name, shape)}
	case !sameShape(p.Shape, shape):
		return []string{fmt.Sprintf("expected %s %v, found %v", name, shape, p.Shape)}
	}
	return nil
}

// fits makes an error of what does not fit, together with what was found.
func (w *weights) fits(wrong []string) error {
	if len(wrong) == 0 {
		return nil
	}
	var found []string
	for _, t := range w.list {
		if w.parameter(t) {
			found = append(found, fmt.Sprintf("%s %v", t.Name, t.Shape))
		}
	}
	return fmt.Errorf("weights: %s does not fit the configured model: %s. The file has %s. Give the --config that it was trained with, or train from what fits with --init-from", w.path, brief(wrong), brief(found))
}

// loadFitting reads what parameters there are in the right shape, and returns what it has not.
func (w *weights) loadFitting(d engine.Device, params *model.Params) (left []string, err error) {
	for _, q := range params.List {
		p, ok := w.place[q.Name]
		switch {
		case !ok:
			left = append(left, q.Name+" (not in the file)")
		case !sameShape(p.Shape, q.Shape):
			left = append(left, fmt.Sprintf("%s (%v there, %v here)", q.Name, p.Shape, q.Shape))
		default:
			if err := w.read(d, q.Name, q.Value); err != nil {
				return nil, err
			}
		}
	}
	return left, nil
}

// sameShape compares shapes up to ones at their ends: releases differ in how many a 1×1 convolution has.
func sameShape(a, b []int) bool {
	trim := func(s []int) []int {
		for len(s) > 0 && s[len(s)-1] == 1 {
			s = s[:len(s)-1]
		}
		return s
	}
	return slices.Equal(trim(a), trim(b))
}

// brief joins what a person wants to read of a list.
func brief(list []string) string {
	const most = 20
	if len(list) > most {
		list = append(list[:most:most], fmt.Sprintf("and %d more", len(list)-most))
	}
	return strings.Join(list, ", ")
}

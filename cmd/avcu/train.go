package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"avcu/engine"
	"avcu/io/yt8m"
	"avcu/model/config"
	"avcu/model/train"
)

func trainCommand() *cli.Command {
	return &cli.Command{
		Name:      "train",
		Usage:     "train a model and write a run folder",
		ArgsUsage: " ",
		Flags: append(commonFlags(),
			textFlag("save-dir", "the run folder", "runs/avcu"),
			&cli.StringFlag{Name: "epochs", Aliases: []string{"epoch", "epoch-num"}, Usage: "epochs to train"},
			numberFlag("max-steps", "steps to train in all; 0: no limit", 0),
			&cli.StringFlag{Name: "learning-rate", Usage: "of Adam"},
			numberFlag("log-interval", "steps between logged ones", 10),
			numberFlag("valid-interval", "epochs between validations; 0: none", 1),
			&cli.StringSliceFlag{Name: "valid-data", Usage: "data to validate on (repeatable)"},
			numberFlag("save-interval", "steps between checkpoints; 0: after each epoch", 0),
			numberFlag("keep", "checkpoints to keep besides the last and the best", 3),
			numberFlag("micro-batch", "sum gradients over micro-batches of this size; 0: the whole batch at once", 0),
			&cli.BoolFlag{Name: "shuffle", Usage: "shuffle the training videos", Value: true, EnvVars: env("shuffle")},
			&cli.StringFlag{Name: "resume", Usage: "go on from a checkpoint; without a value from the newest in the run folder"},
			&cli.StringFlag{Name: "init-from", Aliases: []string{"pretrain"}, Usage: "begin with weights of another model where names and shapes agree", EnvVars: env("init-from")},
		),
		Action: runTrain,
	}
}

var trainKeys = configFlags{"batch-size": "TRAIN.batch_size", "epochs": "TRAIN.epoch", "learning-rate": "TRAIN.learning_rate", "seed": "TRAIN.seed", "filelist": "TRAIN.filelist"}

// training is one run of the command.
type training struct {
	c      *cli.Context
	cfg    *config.Config
	resume *weights // nil: from the start
	from   position // of it
	dev    engine.Device
	src    *yt8m.Source
	valid  *yt8m.Source // or nil
	runner *train.Runner
	folder *runFolder
	plan   train.Plan
}

func runTrain(c *cli.Context) (err error) {
	if c.Args().Present() {
		return usagef("train takes no argument %q", c.Args().First())
	}
	for _, name := range []string{"max-steps", "log-interval", "valid-interval", "save-interval", "keep", "micro-batch"} {
		if c.Int64(name) < 0 {
			return usagef("--%s %d: a number from 0 on", name, c.Int64(name))
		}
	}
	t := &training{c: c, from: position{Best: -1}}
	defer func() { err = errors.Join(err, t.close()) }()
	for _, step := range []func() error{t.configure, t.openData, t.build, t.openFolder, t.schedule, t.check} {
		if err := step(); err != nil {
			return err
		}
	}
	return t.run()
}

// configure reads the configuration, and on --resume the checkpoint's.
func (t *training) configure() (err error) {
	if t.c.IsSet("resume") {
		path := t.c.String("resume")
		if path == "" {
			path = t.c.String("save-dir")
			if _, err := os.Stat((&runFolder{dir: path}).checkpoints()); err != nil {
				return fmt.Errorf("resume: there is no checkpoint in %s", path)
			}
		}
		if path, err = newestCheckpoint(path); err != nil {
			return err
		}
		if t.resume, t.cfg, err = openWeights(t.c, path, t.resolve); err != nil {
			return err
		}
		t.from = t.resume.at
	} else if t.cfg, err = t.resolve(""); err != nil {
		return err
	}
	if t.resume == nil || !t.resume.own {
		return nil
	}
	was := config.New()
	if err := was.Parse([]byte(t.from.Config), "checkpoint"); err != nil {
		return err
	}
	if diff := config.DiffOnResume(was, t.cfg); len(diff) > 0 {
		return fmt.Errorf("resume: %s; a continued run cannot change that: start a new one with --init-from", strings.Join(diff, ", "))
	}
	return nil
}

func (t *training) resolve(stored string) (*config.Config, error) {
	return resolve(t.c, stored, trainKeys)
}

// newestCheckpoint is the checkpoint of the highest step in a run folder. Anything else, a file or weights
// of Paddle, is itself.
func newestCheckpoint(path string) (string, error) {
	f := &runFolder{dir: path}
	if _, err := os.Stat(f.checkpoints()); err != nil {
		if entries, err := os.ReadDir(path); err == nil && len(entries) == 0 {
			return "", fmt.Errorf("resume: %s is empty: name a run folder, a checkpoint or weights of Paddle", path)
		}
		return path, nil
	}
	steps, err := f.steps()
	if err == nil && len(steps) > 0 {
		return f.stepFile(steps[len(steps)-1]), nil
	}
	return "", fmt.Errorf("resume: there is no checkpoint in %s", f.checkpoints())
}

func (t *training) openData() (err error) {
	cfg := t.cfg
	if t.src, err = openSource(t.c, cfg, t.c.StringSlice("data"), reading{fallback: cfg.Train.FileList, batch: cfg.Train.BatchSize,
		classes: cfg.Model.NumClasses, shuffle: t.c.Bool("shuffle"), random: true, frames: t.c.String("sampling")}); err != nil {
		return err
	}
	patterns := t.c.StringSlice("valid-data")
	if len(patterns) > 0 || cfg.Valid.FileList != "" {
		t.valid, err = openSource(t.c, cfg, patterns, reading{fallback: cfg.Valid.FileList, batch: cfg.Valid.BatchSize, classes: cfg.Model.NumClasses})
	}
	return err
}

// build makes device, model and weights.
func (t *training) build() (err error) {
	if t.dev, err = deviceOf(t.c); err != nil {
		return err
	}
	spec := specOf(t.cfg.Model)
	micro := int(t.c.Int64("micro-batch"))
	if t.runner, err = train.NewRunner(t.dev, spec, train.Options{
		Batch: max(t.cfg.Train.BatchSize, t.cfg.Valid.BatchSize), Micro: micro, Learn: true,
		TopK: max(20, t.cfg.Model.TopK), ClipNorm: t.cfg.Train.ClipNorm, Seed: t.cfg.Train.Seed}); err != nil {
		return err
	}
	params, graphs := t.runner.Bytes()
	fmt.Fprintf(t.c.App.ErrWriter, "%s (%s): %.2f million parameters; %d MB for them with gradients and Adam's moments, %d MB for batches of %d\n",
		t.dev.Name(), t.dev.Describe(), float64(t.runner.Params.Count())/1e6, params>>20, graphs>>20, t.cfg.Train.BatchSize)
	if t.resume != nil {
		return t.goOn()
	}
	if err := t.runner.Params.Initialise(t.cfg.Train.Seed); err != nil {
		return err
	}
	path := t.c.String("init-from")
	if path == "" {
		return nil
	}
	w, _, err := openWeights(t.c, path, func(string) (*config.Config, error) { return t.cfg, nil })
	if err != nil {
		return err
	}
	defer w.Close()
	left, err := w.loadFitting(t.dev, t.runner.Params)
	if err != nil {
		return err
	}
	if len(left) == len(t.runner.Params.List) {
		return fmt.Errorf("init-from: %s holds no parameter of this model: %s", w.path, brief(left))
	}
	for _, name := range left {
		fmt.Fprintln(t.c.App.ErrWriter, "initialised:", name)
	}
	return nil
}

// goOn loads what the run that is resumed had.
func (t *training) goOn() error {
	w := t.resume
	if err := w.load(t.dev, t.runner.Params, w.own || w.moments()); err != nil {
		return err
	}
	log := t.c.App.ErrWriter
	switch {
	case w.own:
		if t.from.Arch != t.dev.Arch() {
			fmt.Fprintf(log, "warning: the run so far was computed with %s and goes on with %s: its last bits will differ from an unbroken run's\n", t.from.Arch, t.dev.Arch())
		}
	case w.moments():
		fmt.Fprintf(log, "%s: goes on after step %d with the optimiser's state, in a new first epoch\n", w.path, t.from.Step)
		if rate, ok := w.learningRate(); ok && rate != float32(t.cfg.Train.LearningRate) {
			fmt.Fprintf(log, "note: the learning rate stored there is %s; the configured one, %v, is used\n", number(rate), t.cfg.Train.LearningRate)
		}
	default:
		fmt.Fprintf(log, "%s: holds no optimiser's state: Adam begins anew\n", w.path)
	}
	return nil
}

func (t *training) openFolder() (err error) {
	dir := t.c.String("save-dir")
	if t.folder, err = openRunFolder(dir, t.resume != nil && t.resume.own, t.from.Step); err != nil {
		return err
	}
	f := t.folder
	f.keep, f.log, f.dev, f.params = max(1, t.c.Int("keep")), t.c.App.ErrWriter, t.dev, t.runner.Params
	f.saved = t.from.State
	f.at = position{Best: t.from.Best, Arch: t.dev.Arch(), Config: t.cfg.YAML()}
	f.validate = func() (map[string]any, float64, error) {
		m := newMetric(t.cfg.Model)
		if err := t.runner.Evaluate(t.valid, m, nil); err != nil {
			return nil, 0, err
		}
		return m.line()
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(f.at.Config), 0o666); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	return nil
}

// schedule counts the data where the learning rate depends on it, or a bar shows it.
func (t *training) schedule() error {
	tr := t.cfg.Train
	t.plan = train.Plan{
		Epochs: tr.Epoch, MaxSteps: t.c.Int64("max-steps"), LearningRate: tr.LearningRate, Linear: tr.LRSchedule == "linear", Total: t.from.Total,
		WarmupSteps: int64(tr.WarmupSteps), LogInterval: t.c.Int64("log-interval"), SaveInterval: t.c.Int64("save-interval"),
	}
	if t.valid != nil {
		t.plan.ValidInterval = t.c.Int("valid-interval")
	}
	bar := newProgress(t.c.App.ErrWriter, "training", 0)
	if t.plan.Linear && t.plan.Total == 0 || bar.shown() {
		videos, err := t.src.Count()
		if err != nil {
			return err
		}
		batch := int64(tr.BatchSize)
		total := int64(tr.Epoch) * ((videos + batch - 1) / batch)
		if t.plan.MaxSteps > 0 {
			total = min(total, t.plan.MaxSteps)
		}
		if t.plan.Total == 0 {
			t.plan.Total = total
		}
		bar.videos = videos
		if bar.shown() {
			bar.bar.SetTotal(min(int64(tr.Epoch)*videos, total*batch))
		}
	}
	t.folder.bar, t.folder.at.Total = bar, t.plan.Total
	return nil
}

// check reads a batch of each input before the first step, so that what is wrong shows now.
func (t *training) check() error {
	for _, s := range []*yt8m.Source{t.valid, t.src} {
		if s == nil {
			continue
		}
		if err := s.Start(0, 0); err != nil {
			return err
		}
		if _, _, _, _, err := s.Next(); err != nil {
			return err
		}
	}
	return nil
}

func (t *training) run() error {
	ctx, stop := interruptible()
	defer stop()
	start, first := time.Now(), t.from.Step
	err := t.runner.Run(ctx, t.src, t.folder, t.plan, t.from.State)
	t.folder.bar.finish()
	s := t.folder.saved
	if errors.Is(err, train.ErrInterrupted) {
		return fmt.Errorf("%w after step %d; go on with: avcu train --resume --save-dir %s and the same --data", err, s.Step, t.c.String("save-dir"))
	}
	if err != nil {
		return err
	}
	steps := s.Step - first
	seconds := time.Since(start).Seconds()
	fmt.Fprintf(t.c.App.ErrWriter, "%d steps in %.1f s: %.4f s a step, %.0f videos/s, peak memory %d MB; weights in %s\n",
		steps, seconds, seconds/float64(max(1, steps)), float64(steps)*float64(t.cfg.Train.BatchSize)/seconds, peakMemory()>>20,
		filepath.Join(t.c.String("save-dir"), "checkpoints", "last.safetensors"))
	return nil
}

// interruptible is a context that the first signal ends; a second one ends the program at once.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop()
	}()
	return ctx, stop
}

// peakMemory is the largest resident set of this process so far, in bytes.
func peakMemory() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return int64(u.Maxrss) << 10
}

func (t *training) close() error {
	var errs []error
	if t.folder != nil {
		errs = append(errs, t.folder.Close())
	}
	if t.runner != nil {
		errs = append(errs, t.runner.Close())
	}
	for _, s := range []*yt8m.Source{t.src, t.valid} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	if t.resume != nil {
		errs = append(errs, t.resume.Close())
	}
	if t.dev != nil {
		errs = append(errs, t.dev.Close())
	}
	return errors.Join(errs...)
}

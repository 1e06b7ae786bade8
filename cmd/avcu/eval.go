package main

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/urfave/cli/v2"

	"avcu/engine"
	"avcu/io/vocab"
	"avcu/io/yt8m"
	"avcu/model/config"
	"avcu/model/metric"
	"avcu/model/train"
)

func evalCommand() *cli.Command {
	return &cli.Command{
		Name:      "eval",
		Usage:     "loss and metrics of weights on a labelled set",
		ArgsUsage: " ",
		Flags: append(commonFlags(), append(weightFlags(),
			textFlag("format", "text or json", "text"),
			&cli.StringFlag{Name: "save-dir", Usage: "accepted as Paddle's scripts give it; the result goes to --output"},
			textFlag("per-class", "write each class's average precision to this CSV file", ""))...),
		Action: runEval,
	}
}

func weightFlags() []cli.Flag {
	return []cli.Flag{
		textFlag("weights", "a checkpoint, a run folder or weights of Paddle; without it those that PaddlePaddle published", ""),
		textFlag("output", "file for the result; default standard output", ""),
		&cli.StringFlag{Name: "log-interval", Usage: "accepted as Paddle's scripts give it; there is a progress bar instead"},
		textFlag("labels", "class names: YouTube-8M's vocabulary.csv, or one name a line", ""),
	}
}

// gauge is a metric of one kind of model.
type gauge struct {
	train.Metric
	sigmoid *metric.Sigmoid
	softmax *metric.Softmax
}

func newMetric(m config.Model) gauge {
	if m.Loss == "softmax" {
		s := metric.NewSoftmax(m.NumClasses)
		return gauge{Metric: s, softmax: s}
	}
	s := metric.NewSigmoid(m.NumClasses)
	return gauge{Metric: s, sigmoid: s}
}

// result is what was measured, with the keys of the contract.
func (g gauge) result() any {
	if g.softmax != nil {
		return g.softmax.Result()
	}
	return g.sigmoid.Result()
}

// line is the result as a line of metrics, and the score by which models are compared.
func (g gauge) line() (map[string]any, float64, error) {
	text, err := json.Marshal(g.result())
	if err != nil {
		return nil, 0, err
	}
	line := map[string]any{}
	if err := json.Unmarshal(text, &line); err != nil {
		return nil, 0, err
	}
	score, ok := line["gap"].(float64)
	if !ok {
		score, _ = line["top1"].(float64)
	}
	return line, score, nil
}

// serving is a model with its weights and data, for evaluation and inference.
type serving struct {
	cfg    *config.Config
	dev    engine.Device
	runner *train.Runner
	src    *yt8m.Source
	names  []string // of classes, or nil
}

// serve opens all that evaluating or inferring takes.
func serve(c *cli.Context, keys configFlags, infer bool) (s *serving, err error) {
	if c.Args().Present() {
		return nil, usagef("%s takes no argument %q", c.Command.Name, c.Args().First())
	}
	if err := readyOutputs(c.String("output"), c.String("per-class")); err != nil {
		return nil, err
	}
	s = &serving{}
	var w *weights
	w, s.cfg, err = openWeights(c, cmp.Or(c.String("weights"), publishedName), func(stored string) (*config.Config, error) { return resolve(c, stored, keys) })
	if err != nil {
		return nil, err
	}
	defer w.Close()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	split, topk, classes := s.cfg.Test, 20, s.cfg.Model.NumClasses
	if infer {
		split, topk, classes = s.cfg.Infer, s.cfg.Model.TopK, 0
	}
	if path := c.String("labels"); path != "" {
		if s.names, err = vocab.Read(path, s.cfg.Model.NumClasses); err != nil {
			return s, err
		}
	}
	if s.src, err = openSource(c, s.cfg, c.StringSlice("data"), reading{fallback: split.FileList, batch: split.BatchSize, classes: classes, frames: c.String("sampling")}); err != nil {
		return s, err
	}
	if s.dev, err = deviceOf(c); err != nil {
		return s, err
	}
	if s.runner, err = train.NewRunner(s.dev, specOf(s.cfg.Model), train.Options{Batch: split.BatchSize, TopK: topk, Infer: infer}); err != nil {
		return s, err
	}
	return s, w.load(s.dev, s.runner.Params, false)
}

func (s *serving) close() error {
	var errs []error
	if s.src != nil {
		errs = append(errs, s.src.Close())
	}
	if s.runner != nil {
		errs = append(errs, s.runner.Close())
	}
	if s.dev != nil {
		errs = append(errs, s.dev.Close())
	}
	return errors.Join(errs...)
}

// watch is a progress callback with its bar.
func (s *serving) watch(c *cli.Context, what string) (*progress, func(int), error) {
	bar := newProgress(c.App.ErrWriter, what, 0)
	if bar.shown() {
		n, err := s.src.Count()
		if err != nil {
			return bar, nil, err
		}
		bar.bar.SetTotal(n)
	}
	return bar, func(n int) { bar.set(int64(n)) }, nil
}

func runEval(c *cli.Context) (err error) {
	format := c.String("format")
	if format != "text" && format != "json" {
		return usagef("--format %s: text or json", format)
	}
	s, err := serve(c, configFlags{"batch-size": "TEST.batch_size", "filelist": "TEST.filelist", "seed": "TRAIN.seed"}, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	m := newMetric(s.cfg.Model)
	if c.String("per-class") != "" && m.sigmoid == nil {
		return usagef("--per-class: average precisions are of models with sigmoid loss")
	}
	bar, tell, err := s.watch(c, "evaluating")
	if err != nil {
		return err
	}
	err = s.runner.Evaluate(s.src, m, tell)
	bar.finish()
	if err != nil {
		return err
	}
	result := m.result()
	if path := c.String("per-class"); path != "" {
		if err := s.writePerClass(path, result.(metric.SigmoidResult)); err != nil {
			return err
		}
	}
	return output(c, func(w io.Writer) error { return writeResult(w, format, result) })
}

func writeResult(w io.Writer, format string, result any) error {
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	if format == "json" {
		_, err = fmt.Fprintf(w, "%s\n", text)
		return err
	}
	// The keys in the order of the contract, which is that of the JSON text.
	for _, key := range []string{"videos", "loss", "hit_at_1", "perr", "gap", "map", "top1", "top5"} {
		var values map[string]json.Number
		if err := json.Unmarshal(text, &values); err != nil {
			return err
		}
		if v, ok := values[key]; ok {
			if _, err := fmt.Fprintf(w, "%-9s %s\n", key, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *serving) writePerClass(path string, result metric.SigmoidResult) error {
	return writeFile(path, func(w io.Writer) error {
		out := csv.NewWriter(w)
		head := []string{"class", "positives", "ap"}
		if s.names != nil {
			head = slices.Insert(head, 1, "name")
		}
		_ = out.Write(head)
		for _, a := range result.PerClass {
			row := []string{strconv.Itoa(a.Class), strconv.FormatInt(a.Positives, 10), strconv.FormatFloat(a.AP, 'g', -1, 64)}
			if s.names != nil {
				row = slices.Insert(row, 1, s.names[a.Class])
			}
			_ = out.Write(row)
		}
		out.Flush()
		return out.Error()
	})
}

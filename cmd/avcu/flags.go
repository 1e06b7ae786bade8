package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"avcu/io/yt8m"
	"avcu/model"
	"avcu/model/config"
	"avcu/ops"
)

func env(name string) []string {
	return []string{"AVCU_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))}
}

func textFlag(name, usage, value string) *cli.StringFlag {
	return &cli.StringFlag{Name: name, Usage: usage, Value: value, EnvVars: env(name)}
}

func numberFlag(name, usage string, value int64) *cli.Int64Flag {
	return &cli.Int64Flag{Name: name, Usage: usage, Value: value, EnvVars: env(name)}
}

// configFlags are flags that stand for a key of the configuration. Their environment variables rank
// below --set, so the library does not read them.
type configFlags map[string]string // flag to SECTION.key

// commonFlags are those of every command that runs a model.
func commonFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringSliceFlag{Name: "data", Usage: "a file, glob or folder of TFRecords or of Paddle's pickles (repeatable)"},
		&cli.StringFlag{Name: "filelist", Usage: "a file that names one data file a line"},
		textFlag("config", "a YAML file, Paddle's .txt, or youtube8m or flash-mnist", ""),
		&cli.StringSliceFlag{Name: "set", Usage: "SECTION.key=value, value in YAML (repeatable)"},
		&cli.StringFlag{Name: "batch-size", Usage: "videos in a batch"},
		&cli.StringFlag{Name: "seed", Usage: "of initial weights, order, frames and dropout"},
		textFlag("sampling", "random or midpoint frames of each video", ""),
		&cli.BoolFlag{Name: "offline", Usage: "never use the network (it is used for the published weights alone)", EnvVars: env("offline")},
		&cli.StringFlag{Name: "model-name", Usage: "as Paddle's scripts give it: AttentionCluster"},
		&cli.StringFlag{Name: "use-gpu", Usage: "as Paddle's scripts give it: False is --device cpu"},
	}, deviceFlags()...)
}

// resolve puts the configuration together: stored with weights, --config, environment, --set, flags.
func resolve(c *cli.Context, stored string, flags configFlags) (*config.Config, error) {
	if name := c.String("model-name"); name != "" && !strings.EqualFold(name, "AttentionCluster") {
		return nil, usagef("--model_name %s: this program has AttentionCluster alone", name)
	}
	cfg := config.New()
	if stored != "" {
		if err := cfg.Parse([]byte(stored), "stored with the weights"); err != nil {
			return nil, err
		}
	}
	if name := c.String("config"); name != "" {
		if err := cfg.Load(name); err != nil {
			return nil, err
		}
	}
	for flag, key := range flags {
		variable := env(flag)[0]
		if value, ok := os.LookupEnv(variable); ok {
			if err := cfg.Set(key+"="+yamlOf(key, value), "environment "+variable); err != nil {
				return nil, usageError{err}
			}
		}
	}
	for _, assignment := range c.StringSlice("set") {
		if err := cfg.Set(assignment, "--set"); err != nil {
			return nil, usageError{err}
		}
	}
	for flag, key := range flags {
		if c.IsSet(flag) {
			if err := cfg.Set(key+"="+yamlOf(key, c.String(flag)), "--"+flag); err != nil {
				return nil, usageError{err}
			}
		}
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	for _, notice := range cfg.Notices {
		fmt.Fprintln(c.App.ErrWriter, "note:", notice)
	}
	return cfg, nil
}

// yamlOf is a flag's value as YAML: a path is a text, whatever it looks like.
func yamlOf(key, value string) string {
	if strings.HasSuffix(key, ".filelist") {
		return "'" + strings.ReplaceAll(value, "'", "''") + "'"
	}
	return value
}

// specOf is the model that the configuration describes.
func specOf(m config.Model) model.Spec {
	s := model.Spec{Frames: m.SegNum, Hidden: m.HiddenSizes, Classes: m.NumClasses, DropRate: m.DropRate, AttentionHidden: m.AttentionHidden}
	if m.Loss == "softmax" {
		s.Loss = ops.Softmax
	}
	for i, name := range m.FeatureNames {
		s.Modalities = append(s.Modalities, model.Modality{Name: name, Dim: m.FeatureDims[i], Units: m.ClusterNums[i]})
	}
	return s
}

// reading says how to read data for one purpose.
type reading struct {
	fallback string // file list of the configuration
	batch    int
	classes  int // 0: labels are not looked at
	shuffle  bool
	random   bool // frames, unless --sampling says otherwise
	frames   string
}

// openSource opens the data that patterns and the file list name.
func openSource(c *cli.Context, cfg *config.Config, patterns []string, r reading) (*yt8m.Source, error) {
	var lists []string
	if r.fallback != "" && len(patterns) == 0 {
		lists = []string{r.fallback}
	}
	if len(patterns)+len(lists) == 0 {
		return nil, usagef("no data is named: give --data or --filelist")
	}
	files, err := yt8m.Files(patterns, lists)
	if err != nil {
		return nil, err
	}
	switch r.frames {
	case "":
	case "random":
		r.random = true
	case "midpoint":
		r.random = false
	default:
		return nil, usagef("--sampling %s: random or midpoint", r.frames)
	}
	return yt8m.NewSource(yt8m.Config{
		Files: files, FeatureNames: cfg.Model.FeatureNames, FeatureDims: cfg.Model.FeatureDims, Frames: cfg.Model.SegNum,
		Classes: r.classes, BatchSize: r.batch, Readers: c.Int("threads"), Shuffle: r.shuffle, Seed: cfg.Train.Seed, RandomSampling: r.random,
	})
}

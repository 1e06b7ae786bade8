package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"avcu/engine"
	"avcu/io/flashmnist"
	"avcu/io/mnist"
	"avcu/io/yt8m/synth"
	"avcu/model/extractor"
	"avcu/model/train"
)

func dataCommand() *cli.Command {
	return &cli.Command{Name: "data", Usage: "make, show and check data", Subcommands: []*cli.Command{
		{
			Name: "flash-mnist", Usage: "make the paper's own test set out of MNIST", ArgsUsage: " ",
			Flags: []cli.Flag{
				textFlag("mnist", "the folder of MNIST's four files", ""),
				textFlag("out", "the folder to write", ""),
				textFlag("features", "small or large network that makes the features", "small"),
				numberFlag("seed", "of everything that is drawn", 0),
				textFlag("device", deviceUsage, "auto"),
				numberFlag("threads", "worker threads; 0: all cores", 0),
				numberFlag("train-per-class", "training videos of each of the 1,024 classes", 100),
				numberFlag("test-per-class", "test videos of each class", 10),
				numberFlag("copies", "noisy copies of each digit that the feature network learns from; 0: 5, and 15 for large features", 0),
			},
			Action: runFlashMNIST,
		},
		{
			Name: "synth", Usage: "make learnable shards in YouTube-8M's form", ArgsUsage: " ",
			Flags: []cli.Flag{
				textFlag("out", "the folder to write", ""),
				numberFlag("videos", "videos in all", 1024),
				numberFlag("shards", "files", 4),
				numberFlag("classes", "classes", 3862),
				&cli.StringSliceFlag{Name: "feature", Usage: "name:width (repeatable; default rgb:1024 audio:128)"},
				numberFlag("min-frames", "fewest frames of a video", 160),
				numberFlag("max-frames", "most frames of a video", 300),
				numberFlag("seed", "of the videos", 0),
				numberFlag("prototype-seed", "of the classes: sets that share it show the same classes", 0),
				textFlag("prefix", "of the files' names", "train"),
			},
			Action: runSynth,
		},
		{
			Name: "inspect", Usage: "show what files hold", ArgsUsage: "FILE…",
			Flags: []cli.Flag{textFlag("config", "for names and widths of features", ""), textFlag("format", "text or json", "text"),
				&cli.StringSliceFlag{Name: "set", Usage: "SECTION.key=value (repeatable)"}},
			Action: func(c *cli.Context) error { return lookAt(c, false) },
		},
		{
			Name: "verify", Usage: "read files whole; exit 1 names every bad one", ArgsUsage: "FILE…",
			Flags: []cli.Flag{textFlag("config", "for names and widths of features", ""), textFlag("format", "text or json", "text"),
				&cli.StringSliceFlag{Name: "set", Usage: "SECTION.key=value (repeatable)"}},
			Action: func(c *cli.Context) error { return lookAt(c, true) },
		},
		dataConvertCommand(),
	}}
}

// needText is the value of a flag that must be given.
func needText(c *cli.Context, name string) (string, error) {
	if c.String(name) == "" {
		return "", usagef("--%s is missing", name)
	}
	return c.String(name), nil
}

func runFlashMNIST(c *cli.Context) (err error) {
	dir, err := needText(c, "mnist")
	if err != nil {
		return err
	}
	out, err := needText(c, "out")
	if err != nil {
		return err
	}
	sizes := map[string]extractor.Size{"small": extractor.Small, "large": extractor.Large}
	size, ok := sizes[c.String("features")]
	if !ok {
		return usagef("--features %s: small or large", c.String("features"))
	}
	if err := readyFolder(out); err != nil {
		return fmt.Errorf("data flash-mnist: %w", err)
	}
	ctx, stop := interruptible()
	defer stop()
	digits, unseen, err := mnist.Read(dir)
	if err != nil {
		return err
	}
	seed := uint64(c.Int64("seed"))
	source, err := flashmnist.NewSource(digits, unseen, seed)
	if err != nil {
		return err
	}
	dev, err := deviceOf(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dev.Close()) }()
	net, err := trainExtractor(ctx, c, dev, source, size, seed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, net.Close()) }()
	bar := newProgress(c.App.ErrWriter, "videos", 0)
	report, err := flashmnist.Write(ctx, source, flashmnist.Options{
		Dir: out, Extract: net.Features, Width: extractor.Width, TrainPerClass: c.Int("train-per-class"), TestPerClass: c.Int("test-per-class"),
		Progress: func(done, total int) {
			if bar.shown() {
				bar.bar.SetTotal(int64(total))
				bar.set(int64(done))
			}
		},
	})
	bar.finish()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "%d training and %d test videos in %d files, %d MB, in %s; %.3f %% of the features clipped\n",
		report.TrainVideos, report.TestVideos, len(report.Files), report.Bytes>>20, out, 100*float64(report.Clipped)/float64(report.Values))
	return nil
}

const (
	extractorBatch = 64
	extractorRate  = 2e-3 // of Adam, falling linearly to 0
	extractorRise  = 500  // steps over which it rises first: a fast start leaves many features dead
)

// trainExtractor trains the feature network in one pass over noisy digits and noise, and says how many
// noisy test digits it tells right.
func trainExtractor(ctx context.Context, c *cli.Context, dev engine.Device, source *flashmnist.Source, size extractor.Size, seed uint64) (*extractor.Network, error) {
	copies, reach := 5, 0
	if size == extractor.Large {
		copies, reach = 15, 1
	}
	if n := c.Int("copies"); n > 0 {
		copies = n
	}
	set, err := source.Images(flashmnist.Train, copies, 6000*copies)
	if err != nil {
		return nil, err
	}
	set = set.Moved(reach)
	net, err := extractor.New(dev, size, extractorBatch, 1600, seed)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*extractor.Network, error) { return nil, errors.Join(err, net.Close()) }
	type batch struct {
		images []uint8
		labels []int32
		err    error
	}
	order := set.Order(0)
	steps := (len(order) + extractorBatch - 1) / extractorBatch
	batches := make(chan batch, 4)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // images are made while the network trains
		defer close(batches)
		for i := 0; i < len(order); i += extractorBatch {
			numbers := order[i:min(i+extractorBatch, len(order))]
			b := batch{images: make([]uint8, len(numbers)*784), labels: make([]int32, len(numbers))}
			b.err = set.Fill(b.images, b.labels, numbers)
			select {
			case batches <- b:
			case <-ctx.Done():
				return
			}
		}
	}()
	bar := newProgress(c.App.ErrWriter, "feature network", int64(len(order)))
	plan := train.Plan{LearningRate: extractorRate, Linear: true, Total: int64(steps), WarmupSteps: extractorRise}
	step := 0
	for b := range batches {
		if b.err != nil {
			return fail(b.err)
		}
		if _, err := net.Step(b.images, b.labels, step, plan.Rate(int64(step))); err != nil {
			return fail(err)
		}
		step++
		bar.set(int64(step * extractorBatch))
	}
	bar.finish()
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	right, n, err := measureExtractor(net, source)
	if err != nil {
		return fail(err)
	}
	fmt.Fprintf(c.App.ErrWriter, "feature network: %.2f %% of %d noisy test digits told right\n", 100*float64(right)/float64(n), n)
	return net, nil
}

func measureExtractor(net *extractor.Network, source *flashmnist.Source) (right, n int, err error) {
	set, err := source.Images(flashmnist.Test, 1, 0)
	if err != nil {
		return 0, 0, err
	}
	n = set.Len()
	images, labels, numbers, got := make([]uint8, n*784), make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range numbers {
		numbers[i] = int32(i)
	}
	if err := errors.Join(set.Fill(images, labels, numbers), net.Classify(images, n, got)); err != nil {
		return 0, 0, err
	}
	for i := range got {
		if got[i] == labels[i] {
			right++
		}
	}
	return right, n, nil
}

func runSynth(c *cli.Context) error {
	out, err := needText(c, "out")
	if err != nil {
		return err
	}
	o := synth.Options{
		Dir: out, Prefix: c.String("prefix"), Videos: c.Int64("videos"), Shards: c.Int("shards"), Classes: c.Int("classes"),
		MinFrames: c.Int("min-frames"), MaxFrames: c.Int("max-frames"), Seed: uint64(c.Int64("seed")), PrototypeSeed: uint64(c.Int64("prototype-seed")),
	}
	for _, f := range c.StringSlice("feature") {
		name, width, ok := strings.Cut(f, ":")
		n, err := strconv.Atoi(width)
		if !ok || name == "" || err != nil || n < 1 {
			return usagef("--feature %s: name:width, such as rgb:1024", f)
		}
		o.Features = append(o.Features, synth.Feature{Name: name, Dim: n})
	}
	ctx, stop := interruptible()
	defer stop()
	bar := newProgress(c.App.ErrWriter, "videos", o.Videos)
	o.Progress = bar.set
	files, err := synth.Write(ctx, o)
	bar.finish()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "%d videos in %d files in %s\n", o.Videos, len(files), out)
	return nil
}

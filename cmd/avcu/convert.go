package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"avcu/io/convert"
	"avcu/io/yt8m"
	"avcu/model/train"
)

func dataConvertCommand() *cli.Command {
	return &cli.Command{
		Name: "convert", Usage: "write videos in another form: pickle as TFRecord and back, own NumPy features as TFRecord", ArgsUsage: "SRC… DST",
		Description: "SRC is a file, a glob or a folder of TFRecords or Paddle's pickles. DST is a file or a folder, the form told by its ending\n" +
			"(.tfrecord, .tfrecord.gz, .pkl); a folder without one gets the other form than SRC, a file for each input.\n" +
			"With --truth, SRC is a folder of one's own features: NAME/ID.npy, or ID.npz with arrays NAME; see docs/own-features.md.\n" +
			"Started again after it was stopped, it keeps what is complete.",
		Flags: []cli.Flag{
			textFlag("truth", "a CSV file of ids and labels, for a folder of .npy or .npz files", ""),
			textFlag("scale", "the .scale.json file of the training data, or identity for floats in [-2, 2]; with --truth", ""),
			textFlag("config", "for names and widths of features; with --truth they are those of the files", ""),
			&cli.StringSliceFlag{Name: "set", Usage: "SECTION.key=value (repeatable)"},
			numberFlag("threads", "files written at once; 0: all cores", 0),
		},
		Action: runDataConvert,
	}
}

func runDataConvert(c *cli.Context) error {
	args := c.Args().Slice()
	if len(args) < 2 || args[len(args)-1] == "" {
		return usagef("avcu data convert SRC DST takes what to read and what to write")
	}
	src, o := args[:len(args)-1], convert.Options{To: args[len(args)-1], Workers: c.Int("threads")}
	if o.Workers < 0 {
		return usagef("--threads %d: give a number of threads, or 0 for all cores", o.Workers)
	}
	if c.String("truth") == "" || c.IsSet("config") || len(c.StringSlice("set")) > 0 {
		cfg, err := resolve(c, "", nil)
		if err != nil {
			return err
		}
		o.Names, o.Dims = cfg.Model.FeatureNames, cfg.Model.FeatureDims
	}
	ctx, stop := interruptible()
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	bar := &stages{w: c.App.ErrWriter}
	if file, ok := bar.w.(*os.File); ok && term.IsTerminal(int(file.Fd())) { // else videos need not be counted first
		o.Progress = bar.set
	}
	print := func(format string, args ...any) { fmt.Fprintf(c.App.ErrWriter, format+"\n", args...) }
	var err error
	if c.String("truth") != "" {
		err = convertFeatures(ctx, c, src, o, print)
	} else if c.String("scale") != "" {
		return usagef("--scale is for features of one's own: give --truth, the file with their labels, too")
	} else {
		err = convertVideos(ctx, src, o, print)
	}
	bar.finish()
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: what is complete stays; the same command goes on", train.ErrInterrupted)
	}
	return err
}

// convertVideos converts TFRecords and pickles.
func convertVideos(ctx context.Context, src []string, o convert.Options, print func(string, ...any)) error {
	files, err := yt8m.Files(src, nil)
	if err != nil {
		return err
	}
	report, err := convert.Videos(ctx, files, o)
	if err != nil {
		return err
	}
	printReport(report, o, print)
	return nil
}

// convertFeatures converts features of one's own.
func convertFeatures(ctx context.Context, c *cli.Context, src []string, o convert.Options, print func(string, ...any)) error {
	if len(src) != 1 {
		return usagef("with --truth, SRC is one folder of features, not %d", len(src))
	}
	report, err := convert.Features(ctx, convert.FeatureOptions{Options: o, Folder: src[0], Truth: c.String("truth"), Scale: c.String("scale")})
	if err != nil {
		return err
	}
	if report.Unlabeled > 0 {
		print("note: %d videos in %s have no line in %s and are left out", report.Unlabeled, src[0], c.String("truth"))
	}
	if report.Absent > 0 {
		print("note: %d lines of %s are of videos that are not in %s", report.Absent, c.String("truth"), src[0])
	}
	for _, f := range report.Features {
		if f.Float {
			print("%s: %d wide, scaled and quantised; %d of %d values clipped (%.2f %%)", f.Name, f.Dim, f.Clipped, f.Values, 100*float64(f.Clipped)/float64(f.Values))
		} else {
			print("%s: %d wide, bytes taken as they are", f.Name, f.Dim)
		}
	}
	if report.ScaleFile != "" {
		print("scale: %s; give it as --scale when other data of the same model are converted", report.ScaleFile)
	}
	printReport(&report.Report, o, print)
	return nil
}

func printReport(r *convert.Report, o convert.Options, print func(string, ...any)) {
	if r.Long > 0 {
		print("note: %d videos have more than %d frames, of which a TFRecord's first %[2]d count", r.Long, yt8m.DefaultMaxFrames)
	}
	kept := ""
	if r.Kept > 0 {
		kept = fmt.Sprintf(", of which %d were there already", r.Kept)
	}
	print("%d videos in %d files in %s%s", r.Videos, len(r.Files), o.To, kept)
}

// stages shows a bar for each stage.
type stages struct {
	w     io.Writer
	stage string
	bar   *progress
}

func (s *stages) set(stage string, done, total int64) {
	if stage != s.stage {
		s.bar.finish()
		s.stage, s.bar = stage, newProgress(s.w, stage, total)
	}
	s.bar.set(done)
}

func (s *stages) finish() { s.bar.finish() }

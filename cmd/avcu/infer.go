package main

import (
	"bufio"
	"errors"
	"io"
	"path/filepath"

	"github.com/urfave/cli/v2"
)

// paddleResult is the file that Paddle's infer.py writes.
const paddleResult = "AttentionCluster_infer_result"

func inferCommand() *cli.Command {
	return &cli.Command{
		Name:      "infer",
		Usage:     "the most probable classes of each video",
		ArgsUsage: " ",
		Flags: append(commonFlags(), append(weightFlags(),
			textFlag("format", "text, jsonl, tsv, csv (Kaggle's) or pickle (Paddle's); the last two hold no class names", "text"),
			textFlag("save-dir", "write "+paddleResult+" in this folder, as pickle unless --format says otherwise", ""),
			&cli.StringFlag{Name: "topk", Aliases: []string{"infer-topk"}, Usage: "classes of each video"})...),
		Action: runInfer,
	}
}

func runInfer(c *cli.Context) (err error) {
	if dir := c.String("save-dir"); dir != "" && !c.IsSet("output") {
		err := c.Set("output", filepath.Join(dir, paddleResult))
		if !c.IsSet("format") {
			err = errors.Join(err, c.Set("format", "pickle"))
		}
		if err != nil {
			return err
		}
	}
	write, ok := map[string]resultWriter{"text": textResults, "jsonl": jsonlResults, "csv": kaggleResults, "tsv": tsvResults, "pickle": pickleResults}[c.String("format")]
	if !ok {
		return usagef("--format %s: text, jsonl, csv, tsv or pickle", c.String("format"))
	}
	s, err := serve(c, configFlags{"batch-size": "INFER.batch_size", "filelist": "INFER.filelist", "seed": "TRAIN.seed", "topk": "MODEL.topk"}, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	bar, tell, err := s.watch(c, "inferring")
	if err != nil {
		return err
	}
	err = output(c, func(w io.Writer) error {
		out := bufio.NewWriter(w)
		err := write(s.names, out, func(row rowWriter) error { return s.runner.Infer(s.src, row, tell) })
		return errors.Join(err, out.Flush())
	})
	bar.finish()
	return err
}

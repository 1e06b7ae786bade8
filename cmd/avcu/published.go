package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"avcu/io/published"
	"avcu/model/train"
)

// publishedName stands for the weights that PaddlePaddle published, where a path is asked for.
const publishedName = "published"

const publishedFile = "attention_cluster_youtube8m.tar.gz"

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
	} else if err != nil && !cache.Offline {
		err = fmt.Errorf("%w (AVCU_WEIGHTS_URL names another server)", err)
	}
	return path, err
}

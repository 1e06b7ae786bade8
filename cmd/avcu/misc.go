package main

import (
	"fmt"
	"runtime"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"avcu/model/config"
)

const version = "0.1.0"

func versionCommand() *cli.Command {
	return &cli.Command{Name: "version", Usage: "print the version", Action: func(c *cli.Context) error {
		_, err := fmt.Fprintf(c.App.Writer, "avcu %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	}}
}

func configCommand() *cli.Command {
	show := &cli.Command{
		Name: "show", Usage: "print the resolved configuration and where each value came from",
		Flags: append(commonFlags(), textFlag("weights", "a checkpoint or run folder whose stored configuration counts", "")),
		Action: func(c *cli.Context) error {
			configure := func(stored string) (*config.Config, error) { return resolve(c, stored, trainKeys) }
			var cfg *config.Config
			var err error
			if path := c.String("weights"); path == "" {
				cfg, err = configure("")
			} else {
				var w *weights
				if w, cfg, err = openWeights(c, path, configure); err == nil {
					err = w.Close()
				}
			}
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.App.Writer, 0, 8, 2, ' ', 0)
			for _, v := range cfg.Values() {
				fmt.Fprintf(w, "%s\t%s\t%s\n", v.Key, v.Value, v.Origin)
			}
			return w.Flush()
		},
	}
	return &cli.Command{Name: "config", Usage: "show the configuration", Subcommands: []*cli.Command{show}}
}

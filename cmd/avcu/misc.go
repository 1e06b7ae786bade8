package main

import (
	"fmt"
	"runtime"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
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
			stored := ""
			if path := c.String("weights"); path != "" {
				f, at, err := openWeights(path)
				if err != nil {
					return err
				}
				stored = at.Config
				if err := f.Close(); err != nil {
					return err
				}
			}
			cfg, err := resolve(c, stored, trainKeys)
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

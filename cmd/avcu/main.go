// Command avcu trains, evaluates and serves Attention Cluster, a video classifier that works on
// features extracted from videos beforehand.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"avcu/model/train"
)

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// usageError is a mistake in how the command was called.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }

// run is the whole program; results go to stdout, everything else to stderr.
func run(args []string, stdout, stderr io.Writer) int {
	app := &cli.App{
		Name:                      "avcu",
		Usage:                     "train, evaluate and serve Attention Cluster",
		Writer:                    stdout,
		ErrWriter:                 stderr,
		HideVersion:               true,
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {},
		Commands:                  []*cli.Command{trainCommand(), evalCommand(), inferCommand(), dataCommand(), demoCommand(), modelCommand(), configCommand(), devicesCommand(), checkCommand(), versionCommand()},
		CommandNotFound:           func(*cli.Context, string) {},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("unknown command %q; avcu --help lists them", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
	}
	wrong := func(_ *cli.Context, err error, _ bool) error { return usageError{err} }
	app.OnUsageError = wrong
	prepare(app.Commands, wrong)
	arranged, err := arrange(args, app.Commands)
	if err == nil {
		err = app.Run(arranged)
	}
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, train.ErrInterrupted):
		fmt.Fprintln(stderr, "avcu:", err)
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "avcu: %v\n", err)
		return exitUsage
	}
	fmt.Fprintln(stderr, "avcu:", err)
	return exitFailed
}

// prepare gives every command the program's way with usage errors.
func prepare(commands []*cli.Command, wrong cli.OnUsageErrorFunc) {
	for _, c := range commands {
		c.OnUsageError = wrong
		prepare(c.Subcommands, wrong)
		if len(c.Subcommands) > 0 && c.Action == nil {
			c.Action = func(ctx *cli.Context) error {
				if ctx.Args().Present() {
					return usagef("unknown command %q of avcu %s", ctx.Args().First(), ctx.Command.Name)
				}
				return usagef("avcu %s needs a command; avcu %s --help lists them", ctx.Command.Name, ctx.Command.Name)
			}
		}
	}
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
)

// readyFolder makes a folder and tries whether files can be made in it.
func readyFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("%w: name another place", err)
	}
	probe, err := os.CreateTemp(dir, ".probe*")
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w: name another place", dir, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// readyOutputs makes the folders of files that will be written and tries whether they can be: better before the work than
// after it. An empty path is none.
func readyOutputs(paths ...string) error {
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case path == "":
			continue
		case err == nil && info.IsDir(), strings.HasSuffix(path, string(filepath.Separator)):
			return fmt.Errorf("output: %s is a folder: name a file", path)
		case err == nil && !info.Mode().IsRegular(): // a device or a pipe
			continue
		}
		if err := readyFolder(filepath.Dir(path)); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	return nil
}

// output writes a result to --output, or to standard output.
func output(c *cli.Context, write func(io.Writer) error) error {
	if path := c.String("output"); path != "" {
		return writeFile(path, write)
	}
	return write(c.App.Writer)
}

// writeFile writes a file aside and renames it, so that it is whole or not there. What is no regular
// file is written as it is.
func writeFile(path string, write func(io.Writer) error) (err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("output: %w", err)
		}
		return errors.Join(write(f), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := errors.Join(write(f), f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("output: %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

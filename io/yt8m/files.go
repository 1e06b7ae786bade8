package yt8m

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Files lists the files that patterns and lists name: those of each pattern, then those of each list, in the order given.
//
// A pattern is a file, a folder (its regular files sorted) or a glob in the syntax of path/filepath (the same of what it
// matches). Of a folder and of a glob, hidden files are left out (but for a glob whose last part begins with a dot). A list is a text file with one path a line, blank lines skipped. Paths are
// relative to the current folder. A file named twice is listed twice. What names nothing is an error.
func Files(patterns, lists []string) ([]string, error) {
	var files []string
	for _, pattern := range patterns {
		found, err := expand(pattern)
		if err != nil {
			return nil, fmt.Errorf("yt8m: data %q: %w", pattern, err)
		}
		files = append(files, found...)
	}
	for _, list := range lists {
		found, err := readList(list)
		if err != nil {
			return nil, fmt.Errorf("yt8m: file list %q: %w", list, err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, errors.New("yt8m: no input: name a file, a glob or a folder, or a list of files")
	}
	return files, nil
}

// expand lists the files of one pattern.
func expand(pattern string) ([]string, error) {
	if pattern == "" {
		return nil, errors.New("empty: name a file, a glob or a folder")
	}
	info, err := os.Stat(pattern)
	switch {
	case err == nil && info.IsDir():
		return folder(pattern)
	case err == nil && info.Mode().IsRegular():
		return []string{pattern}, nil
	case err == nil:
		return nil, errors.New("neither a regular file nor a folder: name a file, a glob or a folder")
	case !strings.ContainsAny(pattern, "*?["):
		return nil, missing(err)
	}
	matches, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("%w: close its [ ], or escape what is no pattern with \\", err)
	}
	var files []string
	for _, name := range matches {
		if isRegular(name) && (!hidden(name) || hidden(pattern)) {
			files = append(files, name)
		}
	}
	if len(files) == 0 && len(matches) > 0 {
		return nil, fmt.Errorf("the glob matches no file, only folders or hidden files such as %q: name a folder itself, or match the files in it (add %q)", matches[0], "/*")
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("the glob matches nothing: check the path, relative to %s", here())
	}
	return files, nil
}

// folder lists the regular files in the folder dir.
func folder(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if name := filepath.Join(dir, e.Name()); !hidden(name) && isRegular(name) {
			files = append(files, name)
		}
	}
	if len(files) == 0 {
		return nil, errors.New("the folder holds no file: name the folder that the files lie in (folders inside it are not searched)")
	}
	return files, nil
}

// hidden tells whether the last part of name begins with a dot.
func hidden(name string) bool { return strings.HasPrefix(filepath.Base(name), ".") }

// isRegular tells whether name is a regular file or a link to one.
func isRegular(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// readList lists the files that the text file list names.
func readList(list string) ([]string, error) {
	if err := wantFile(list); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, errors.New("not a text file: a list has one path a line; a file with videos is named as data")
	}
	var files []string
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		name := strings.TrimSpace(line)
		if name == "" {
			continue
		}
		if err := wantFile(name); err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", number, name, err)
		}
		files = append(files, name)
	}
	if len(files) == 0 {
		return nil, errors.New("it names no file: write one path a line")
	}
	return files, nil
}

// wantFile returns nil where name is a regular file or a link to one.
func wantFile(name string) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return missing(err)
	case info.IsDir():
		return errors.New("a folder, where a file is needed: name the file")
	case !info.Mode().IsRegular():
		return errors.New("not a regular file: name a file")
	}
	return nil
}

// missing adds a remedy to the error of a path that is not there.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: check the path, relative to %s", fs.ErrNotExist, here())
	}
	return err
}

// here names the current folder.
func here() string {
	dir, err := os.Getwd()
	if err != nil {
		return "the current folder"
	}
	return dir
}

// Package published finds files that somebody else published, such as trained weights: in a cache folder of the user's,
// or else on a server, from where they are fetched into that folder once.
//
// Beside a file NAME the folder holds NAME.sha256, written when NAME was first there and in the form of sha256sum; NAME is
// compared with it whenever it is used. NAME.part and NAME.part.json are a download that broke off and where it came from;
// NAME.lock keeps two processes from fetching at the same time.
package published

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"time"
)

// PaddleServer is where PaddlePaddle published its weights of video classifiers.
const PaddleServer = "https://paddlemodels.bj.bcebos.com/video_classification/"

// Cache says where files lie and where they come from. Folder and Server must be set.
type Cache struct {
	Folder  string // created when it is needed
	Server  string // the address of a folder; or of the file itself, if it ends in the file's name
	Offline bool   // never use the network

	// Both may be nil. Say gets a line about what is done, Progress how many bytes of how many are there (0: unknown).
	Say      func(line string)
	Progress func(done, total int64)

	// Check may be nil. It looks at a file that was just fetched, before it counts as such: is it what it should be, and whole?
	Check func(path string) error

	transport http.RoundTripper // nil: the standard library's
	stall     time.Duration     // an attempt ends after that long without a byte
	pause     time.Duration     // before the second attempt, doubled for each one after it
}

// Folder is the folder that a program should keep its files in: program in $XDG_CACHE_HOME, or in ~/.cache
// where that is not set or not absolute.
func Folder(program string) (string, error) {
	if base := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, program), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("published: no folder for files to keep: %w, and XDG_CACHE_HOME is not set", err)
	}
	return filepath.Join(home, ".cache", program), nil
}

// Get returns the path of a file in the cache folder, after fetching it if it is not there. Errors name the file and what to
// do. A cancelled ctx ends it with ctx's error in the chain; what has arrived is kept, and a later call goes on from there.
func (c *Cache) Get(ctx context.Context, name string) (string, error) {
	file, err := c.get(ctx, name)
	if err != nil {
		return "", fmt.Errorf("published: %s: %w", name, err)
	}
	return file, nil
}

func (c *Cache) get(ctx context.Context, name string) (string, error) {
	if name == "" || filepath.Base(name) != name || name == "." || name == ".." {
		return "", errors.New("not the plain name of a file")
	}
	file := filepath.Join(c.Folder, name)
	if there, err := exists(file); err != nil || there {
		return file, firstError(err, func() error { return verify(ctx, file) })
	}
	address, err := c.address(name)
	if err != nil {
		return "", err
	}
	if c.Offline {
		return "", fmt.Errorf("not in %s, and the network may not be used: fetch %s elsewhere and put it at %s", c.Folder, address.Redacted(), file)
	}
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return "", err
	}
	unlock, err := c.lock(ctx, file+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if there, err := exists(file); err != nil || there { // fetched by another process meanwhile
		return file, firstError(err, func() error { return verify(ctx, file) })
	}
	c.say("fetching " + address.Redacted() + " to " + file)
	d := &download{Cache: c, url: address.String(), address: address.Redacted(), file: file, part: file + ".part"}
	if err := d.run(ctx); err != nil {
		return "", err
	}
	return file, nil
}

// address is that of a file on the server.
func (c *Cache) address(name string) (*url.URL, error) {
	u, err := url.Parse(c.Server)
	if err != nil {
		return nil, fmt.Errorf("the server's address cannot be read: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the server's address %q does not begin with https:// or http:// and a host", c.Server)
	}
	if path.Base(u.Path) != name {
		u = u.JoinPath(name)
	}
	return u, nil
}

func (c *Cache) say(line string) {
	if c.Say != nil {
		c.Say(line)
	}
}

// exists reports that a regular file is there; anything else of that name is an error.
func exists(file string) (bool, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file: move it away", file)
	}
	return err == nil, err
}

// firstError is err, or what next returns if there is none.
func firstError(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

// sleep waits, or returns why it may not.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

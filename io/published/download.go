package published

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"avcu/io/replace"
)

const (
	maxFailures = 4        // attempts in a row that bring nothing new
	maxSize     = 64 << 30 // bytes; a server without an end is not to fill the disk
	enough      = 1 << 20  // bytes past what was there before, which count as something new
)

// download is the fetching of one file.
type download struct {
	*Cache
	url        string
	address    string // as it may be shown: without a password
	file, part string
	origin     origin // of what the part holds
	best       int64  // the most bytes that were there
}

// origin is what the server said of the bytes in a part: enough to ask for the rest of the same thing, and of nothing else.
type origin struct {
	Address      string `json:"address"`
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	Size         int64  `json:"size"` // of all; -1: unknown
}

// validator is what goes into If-Range: a strong ETag, or a date; "" if the server gave neither.
func (o origin) validator() string {
	if len(o.ETag) > 0 && o.ETag[0] == '"' {
		return o.ETag
	}
	return o.LastModified
}

// permanent is an error that another attempt would only repeat.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// run fetches until all is there, and puts it in place.
func (d *download) run(ctx context.Context) error {
	f, err := os.OpenFile(d.part, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	d.readOrigin()
	pause := d.pause
	if pause == 0 {
		pause = time.Second
	}
	wait := pause
	for failures := 0; ; {
		before := d.best
		err := d.attempt(ctx, f)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %s holds what has arrived, and the next call goes on from there", context.Cause(ctx), d.part)
		}
		if errors.As(err, &permanent{}) {
			return err
		}
		if failures++; d.best > before+enough {
			failures, wait = 1, pause
		}
		if failures == maxFailures {
			return fmt.Errorf("%w; gave up after %d attempts; the next call goes on from what has arrived. Or fetch %s by other means and put it at %s", err, failures, d.address, d.file)
		}
		d.say(fmt.Sprintf("%v; trying again in %v", err, wait))
		if err := sleep(ctx, wait); err != nil {
			return err
		}
		wait *= 2
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return d.finish(ctx)
}

// finish checks what was fetched, records it and gives it its name.
func (d *download) finish(ctx context.Context) error {
	sum, err := digest(ctx, d.part)
	if err != nil {
		return err
	}
	want, err := recorded(d.file + ".sha256")
	if err != nil {
		return err
	}
	if want != "" && sum != want {
		err = fmt.Errorf("%s now holds another file, with SHA-256 %s, than was first fetched, %s; delete %s.sha256 if the new one is meant", d.address, sum, want, d.file)
	} else if d.Check != nil {
		if err = d.Check(d.part); err != nil {
			err = fmt.Errorf("what %s holds is not what it should be: %w; name another server, or put the file at %s", d.address, err, d.file)
		}
	}
	if err != nil {
		return errors.Join(err, os.Remove(d.part), os.Remove(d.part+".json"))
	}
	if err := writeRecord(d.file, sum); err != nil {
		return err
	}
	if err := os.Rename(d.part, d.file); err != nil {
		return err
	}
	if err := os.Remove(d.part + ".json"); err != nil {
		return err
	}
	return replace.SyncFolder(filepath.Dir(d.file))
}

// readOrigin reads where the part came from. What cannot be read, or came from elsewhere, is as good as nothing.
func (d *download) readOrigin() {
	text, err := os.ReadFile(d.part + ".json")
	if err != nil || json.Unmarshal(text, &d.origin) != nil || d.origin.Address != d.address {
		d.origin = origin{Address: d.address, Size: -1}
	}
}

// begin makes the part empty, to hold what a response brings.
func (d *download) begin(f *os.File, h http.Header, size int64) error {
	if err := f.Truncate(0); err != nil {
		return permanent{err}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return permanent{err}
	}
	d.origin = origin{d.address, h.Get("ETag"), h.Get("Last-Modified"), size}
	text, err := json.Marshal(d.origin)
	if err == nil {
		err = put(d.part+".json", text)
	}
	if err != nil {
		return permanent{err}
	}
	return nil
}

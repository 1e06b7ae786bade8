package published

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDownload: a server that does this, then that, is asked for these ranges, and the file is there in the end.
func TestDownload(t *testing.T) {
	old, now := makeVersion(1, 300_000, `"a"`), makeVersion(2, 290_000, `"b"`)
	weak := version{content: old.content, etag: `W/"a"`, modified: time.Date(2019, 4, 1, 0, 0, 0, 0, time.UTC)}
	dated := version{content: old.content, modified: weak.modified}
	mute := version{content: old.content}
	short := version{content: now.content[:1000], etag: `"b"`}
	chunked := func(v version) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				v.serve(w, r)
				return
			}
			w.Header().Set("ETag", v.etag)
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			w.Write(v.content)
		}
	}
	with206 := func(v version, contentRange string, from int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if v.etag != "" {
				w.Header().Set("ETag", v.etag)
			}
			w.Header().Set("Content-Range", contentRange)
			w.WriteHeader(http.StatusPartialContent)
			w.Write(v.content[from:])
		}
	}
	moved := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			http.Redirect(w, r, r.URL.Path+"?there", http.StatusFound)
			return
		}
		old.serve(w, r)
	}
	const head = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 300000\r\n\r\n"
	for _, c := range []struct {
		name   string
		steps  []http.HandlerFunc
		ranges string
		want   version
	}{
		{"good", []http.HandlerFunc{old.serve}, "", old},
		{"breaks off twice", []http.HandlerFunc{cut(100_000, old.serve), cut(50_000, old.serve), old.serve}, " bytes=100000- bytes=150000-", old},
		{"breaks off at once", []http.HandlerFunc{raw(""), old.serve}, " ", old},
		{"breaks off behind the header", []http.HandlerFunc{raw(head), old.serve}, " ", old},
		{"chunks break off", []http.HandlerFunc{cut(100_000, chunked(old)), chunked(old)}, " bytes=100000-", old},
		{"chunks break off before the last, which is empty", []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
			chunked(old)(w, r)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, old.serve}, " bytes=300000-", old},
		{"empty", []http.HandlerFunc{version{etag: `"a"`}.serve}, "", version{}},
		{"ignores ranges", []http.HandlerFunc{cut(100_000, old.plain), old.plain}, " bytes=100000-", old},
		{"changes", []http.HandlerFunc{cut(100_000, old.serve), now.serve}, " bytes=100000-", now},
		{"changes twice", []http.HandlerFunc{cut(100_000, old.serve), cut(100_000, now.serve), old.serve}, " bytes=100000- bytes=100000-", old},
		{"changes and ignores If-Range", []http.HandlerFunc{cut(100_000, old.serve), with206(now, "bytes 100000-289999/290000", 100_000), now.serve}, " bytes=100000- ", now},
		{"changes to the same size and ignores If-Range", []http.HandlerFunc{cut(100_000, old.serve), with206(version{old.content, `"c"`, time.Time{}}, "bytes 100000-299999/300000", 100_000), old.serve}, " bytes=100000- ", old},
		{"has only dates, changes and ignores If-Range", []http.HandlerFunc{cut(100_000, dated.serve), with206(version{content: now.content}, "bytes 100000-289999/290000", 100_000), now.serve}, " bytes=100000- ", now},
		{"becomes shorter and ignores If-Range", []http.HandlerFunc{cut(100_000, old.serve), func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-Range")
			short.serve(w, r)
		}, short.serve}, " bytes=100000- ", short},
		{"says 416 of another file as long", []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
			chunked(old)(w, r)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"c"`)
			w.Header().Set("Content-Range", "bytes */300000")
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		}, old.serve}, " bytes=300000- ", old},
		{"sends another range", []http.HandlerFunc{cut(100_000, old.serve), with206(old, "bytes 99999-299999/300000", 99_999), old.serve}, " bytes=100000- ", old},
		{"ends the range early", []http.HandlerFunc{cut(100_000, old.serve), with206(old, "bytes 100000-199999/300000", 100_000), old.serve}, " bytes=100000- ", old},
		{"says no range", []http.HandlerFunc{cut(100_000, old.serve), with206(old, "", 100_000), old.serve}, " bytes=100000- ", old},
		{"says a range that is none", []http.HandlerFunc{cut(100_000, old.serve), with206(old, "bytes 100000-299999/99999999999999999999", 100_000), old.serve}, " bytes=100000- ", old},
		{"weak tag, but a date", []http.HandlerFunc{cut(100_000, weak.serve), weak.serve}, " bytes=100000-", old},
		{"neither tag nor date", []http.HandlerFunc{cut(100_000, mute.serve), mute.serve}, " ", old},
		{"promises more than it sends", []http.HandlerFunc{raw(head + string(old.content[:5])), old.serve}, " bytes=5-", old},
		{"overloaded", []http.HandlerFunc{status(503), status(429), status(408), old.serve}, "   ", old},
		{"redirects", []http.HandlerFunc{moved}, " ", old},
		{"breaks off often, each time a good deal further", []http.HandlerFunc{
			cut(2<<20, makeVersion(3, 11<<20, `"d"`).serve), cut(2<<20, makeVersion(3, 11<<20, `"d"`).serve), cut(2<<20, makeVersion(3, 11<<20, `"d"`).serve),
			cut(2<<20, makeVersion(3, 11<<20, `"d"`).serve), cut(2<<20, makeVersion(3, 11<<20, `"d"`).serve), makeVersion(3, 11<<20, `"d"`).serve},
			" bytes=2097152- bytes=4194304- bytes=6291456- bytes=8388608- bytes=10485760-", makeVersion(3, 11<<20, `"d"`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serving(t, c.steps...)
			cache := s.cache(t)
			var done, total int64
			cache.Progress = func(d, t int64) { done, total = d, t }
			get(t, cache)
			wants(t, cache, c.want)
			if got := s.ranges(); got != c.ranges {
				t.Errorf("asked for the ranges %q, want %q", got, c.ranges)
			}
			if n := int64(len(c.want.content)); c.ranges == "" && (done != n || total != n) {
				t.Errorf("progress ended with %d of %d, want %d", done, total, n)
			}
			before := len(s.asked)
			get(t, cache) // from the folder
			if len(s.asked) != before {
				t.Error("the file was fetched again")
			}
		})
	}
}

func TestDownloadFails(t *testing.T) {
	v := makeVersion(1, 1000, `"a"`)
	page := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!DOCTYPE html><p>Please log in") }
	for _, c := range []struct {
		name     string
		steps    []http.HandlerFunc
		requests int
		want     []string
	}{
		{"not found", []http.HandlerFunc{status(404)}, 1, []string{"the server says 404 Not Found", "put the file at "}},
		{"forbidden after a part", []http.HandlerFunc{cut(100, v.serve), status(403)}, 2, []string{"403 Forbidden"}},
		{"down", []http.HandlerFunc{status(503)}, 4, []string{"503 Service Unavailable", "gave up after 4 attempts", "by other means"}},
		{"always breaks off", []http.HandlerFunc{cut(100, v.plain)}, 4, []string{"broke off after 100 bytes", "gave up"}},
		{"always promises too much", []http.HandlerFunc{raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort")}, 4, []string{"broke off after 5 bytes"}},
		{"no length", []http.HandlerFunc{raw("HTTP/1.0 200 OK\r\n\r\nshort")}, 1, []string{"does not say how long"}},
		{"a web page", []http.HandlerFunc{page}, 1, []string{"a web page came instead of the file", "name another server, or put the file at "}},
		{"a part that was not asked for", []http.HandlerFunc{status(206)}, 1, []string{"206 Partial Content"}},
		{"416 of everything", []http.HandlerFunc{status(416)}, 1, []string{"416"}},
		{"sends us in a circle", []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }}, 10, []string{"more than ten times"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serving(t, c.steps...)
			cache := s.cache(t)
			fails(t, cache, append(c.want, name)...)
			if len(s.asked) != c.requests {
				t.Errorf("%d requests, want %d", len(s.asked), c.requests)
			}
			if _, err := os.Stat(filepath.Join(cache.Folder, name)); err == nil {
				t.Error("the file is there all the same")
			}
		})
	}
}

// TestStall: a server that falls silent is left, and the rest asked for.
func TestStall(t *testing.T) {
	v := makeVersion(1, 1000, `"a"`)
	over := make(chan struct{})
	defer close(over)
	s := serving(t, func(w http.ResponseWriter, r *http.Request) {
		v.serve(&cutWriter{w, 400, func() { <-over }}, r)
	}, func(http.ResponseWriter, *http.Request) { <-over }, v.serve)
	cache := s.cache(t)
	cache.stall = 500 * time.Millisecond
	var said []string
	cache.Say = func(line string) { said = append(said, line) }
	get(t, cache)
	wants(t, cache, v)
	if got := s.ranges(); got != " bytes=400- bytes=400-" {
		t.Errorf("asked for %q", got)
	}
	if all := strings.Join(said, "\n"); strings.Count(all, "the server has sent nothing for 500ms") != 2 || !strings.Contains(all, "fetching "+s.URL) {
		t.Errorf("said %s", all)
	}
}

// TestSlow: a server may take its time as long as something comes.
func TestSlow(t *testing.T) {
	v := makeVersion(1, 20, `"a"`)
	s := serving(t, func(w http.ResponseWriter, r *http.Request) {
		for i := range v.content {
			w.Write(v.content[i : i+1])
			w.(http.Flusher).Flush()
			time.Sleep(60 * time.Millisecond)
		}
	})
	cache := s.cache(t)
	cache.stall = time.Second
	get(t, cache)
	wants(t, cache, v)
	if len(s.asked) != 1 {
		t.Errorf("%d requests", len(s.asked))
	}
}

// TestAllArrived: where all had arrived before the end came, nothing is asked for.
func TestAllArrived(t *testing.T) {
	v := makeVersion(1, 1000, `"a"`)
	s := serving(t, v.serve)
	cache := s.cache(t)
	broken := errors.New("not now")
	ctx, cancel := context.WithCancelCause(context.Background())
	cache.Progress = func(done, total int64) {
		if done == total {
			cancel(broken)
		}
	}
	if _, err := cache.Get(ctx, name); !errors.Is(err, broken) {
		t.Fatalf("error %v", err)
	}
	get(t, cache)
	wants(t, cache, v)
	if len(s.asked) != 1 {
		t.Errorf("%d requests", len(s.asked))
	}
}

// TestCancel: a call that is cancelled keeps what has arrived, and another one goes on from there.
func TestCancel(t *testing.T) {
	v := makeVersion(1, 1000, `"a"`)
	ctx, cancel := context.WithCancel(context.Background())
	s := serving(t, func(w http.ResponseWriter, r *http.Request) {
		v.serve(&cutWriter{w, 400, func() { <-r.Context().Done() }}, r)
	}, v.serve)
	cache := s.cache(t)
	cache.Progress = func(done, _ int64) {
		if done == 400 {
			cancel()
		}
	}
	if _, err := cache.Get(ctx, name); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the next call goes on") {
		t.Fatalf("error %v", err)
	}
	another := &Cache{Folder: cache.Folder, Server: cache.Server}
	get(t, another)
	wants(t, another, v)
	if got := s.ranges(); got != " bytes=400-" {
		t.Errorf("asked for %q", got)
	}
}

// TestPartOfAnother: what came from another server, or from who knows where, is not continued.
func TestPartOfAnother(t *testing.T) {
	v := makeVersion(1, 1000, `"a"`)
	for _, origin := range []string{
		`{"address": "https://elsewhere/` + name + `", "etag": "\"a\"", "size": 1000}`, "", "{", "null", "[]",
	} {
		s := serving(t, v.serve)
		cache := s.cache(t)
		if err := os.MkdirAll(cache.Folder, 0o700); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{".part": "another", ".part.json": origin} {
			if err := os.WriteFile(filepath.Join(cache.Folder, name+file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		get(t, cache)
		wants(t, cache, v)
		if got := s.ranges(); got != "" {
			t.Errorf("%s: asked for %q", origin, got)
		}
	}
}

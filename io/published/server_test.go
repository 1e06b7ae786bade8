package published

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const name = "weights.tar.gz"

// A version is what the server holds at one time.
type version struct {
	content  []byte
	etag     string
	modified time.Time
}

func makeVersion(seed uint64, size int, etag string) version {
	random := rand.New(rand.NewPCG(seed, 0))
	v := version{content: make([]byte, size), etag: etag}
	for i := range v.content {
		v.content[i] = byte(random.Uint32())
	}
	return v
}

// serve answers as a good server does: with ranges, If-Range and 416.
func (v version) serve(w http.ResponseWriter, r *http.Request) {
	if v.etag != "" {
		w.Header().Set("ETag", v.etag)
	}
	http.ServeContent(w, r, "", v.modified, bytes.NewReader(v.content))
}

// plain answers with all of the content, whatever is asked for.
func (v version) plain(w http.ResponseWriter, r *http.Request) {
	r.Header.Del("Range")
	v.serve(w, r)
}

// server answers each request with the next step, the last one again and again.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	steps []http.HandlerFunc
	asked []http.Header
}

func serving(t *testing.T, steps ...http.HandlerFunc) *server {
	s := &server{steps: steps}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if r.URL.Path != "/files/"+name {
			t.Errorf("%s was asked for", r.URL.Path)
		}
		step := s.steps[min(len(s.asked), len(s.steps)-1)]
		s.asked = append(s.asked, r.Header.Clone())
		s.mu.Unlock()
		step(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// ranges are the ranges that were asked for, one a request.
func (s *server) ranges() string {
	var list []string
	for _, h := range s.asked {
		list = append(list, h.Get("Range"))
	}
	return strings.Join(list, " ")
}

// cache returns one that gets its files from s and does not wait long.
func (s *server) cache(t *testing.T) *Cache {
	return &Cache{Folder: filepath.Join(t.TempDir(), "new", "avcu"), Server: s.URL + "/files", pause: time.Millisecond, stall: 10 * time.Second}
}

// cut ends the connection after n bytes of the body.
func cut(n int, step http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { step(&cutWriter{ResponseWriter: w, left: n}, r) }
}

type cutWriter struct {
	http.ResponseWriter
	left int
	then func() // nil: the connection ends
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if n := min(c.left, len(p)); n == len(p) {
		c.left -= n
		return c.ResponseWriter.Write(p)
	}
	c.ResponseWriter.Write(p[:c.left])
	c.ResponseWriter.(http.Flusher).Flush()
	if c.then != nil {
		c.then()
	}
	panic(http.ErrAbortHandler)
}

func (c *cutWriter) Flush() { c.ResponseWriter.(http.Flusher).Flush() }

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", code) }
}

// raw answers with these bytes and ends the connection.
func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, text)
	}
}

// wants the file and its record to be in the folder, and nothing else but the lock.
func wants(t *testing.T, c *Cache, v version) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(c.Folder, name))
	if err != nil || !bytes.Equal(data, v.content) {
		t.Errorf("%v, the file has %d bytes, want %d, or is another one", err, len(data), len(v.content))
	}
	record, err := os.ReadFile(filepath.Join(c.Folder, name+".sha256"))
	if want := fmt.Sprintf("%x  %s\n", sha256.Sum256(v.content), name); err != nil || string(record) != want {
		t.Errorf("record %q, %v, want %q", record, err, want)
	}
	entries, err := os.ReadDir(c.Folder)
	if err != nil || len(entries) != 3 {
		t.Errorf("%v, the folder holds %v", err, entries)
	}
}

func get(t *testing.T, c *Cache) {
	t.Helper()
	path, err := c.Get(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	if path != filepath.Join(c.Folder, name) {
		t.Errorf("the file is said to be at %s", path)
	}
}

// fails wants Get to fail with an error that says all of want.
func fails(t *testing.T, c *Cache, want ...string) {
	t.Helper()
	_, err := c.Get(context.Background(), name)
	if err == nil {
		t.Fatalf("no error, want %q", want)
	}
	for _, part := range append(want, "published: "+name+": ") {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q, want %q", err, part)
		}
	}
}

package published

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestFolder(t *testing.T) {
	t.Setenv("HOME", "/home/somebody")
	for base, want := range map[string]string{"/c": "/c/avcu", "": "/home/somebody/.cache/avcu", "relative": "/home/somebody/.cache/avcu"} {
		t.Setenv("XDG_CACHE_HOME", base)
		if got, err := Folder("avcu"); err != nil || got != want {
			t.Errorf("XDG_CACHE_HOME %q: %q, %v, want %q", base, got, err, want)
		}
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if _, err := Folder("avcu"); err == nil || !strings.Contains(err.Error(), "XDG_CACHE_HOME is not set") {
		t.Errorf("no home: %v", err)
	}
}

func TestAddress(t *testing.T) {
	for server, want := range map[string]string{
		PaddleServer:                     PaddleServer + name,
		"http://mirror":                  "http://mirror/" + name,
		"http://mirror/a":                "http://mirror/a/" + name,
		"http://mirror/a/" + name + "?k": "http://mirror/a/" + name + "?k",
	} {
		if got, err := (&Cache{Server: server}).address(name); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v, want %s", server, got, err, want)
		}
	}
	for server, want := range map[string]string{"": "does not begin with https://", "mirror/a": "does not begin with https://", "file:///a": "does not begin", "http://a b": "cannot be read"} {
		fails(t, &Cache{Folder: t.TempDir(), Server: server}, want)
	}
	for _, wrong := range []string{"", ".", "..", "a/b", "../a"} {
		if _, err := (&Cache{Folder: t.TempDir(), Server: PaddleServer, Offline: true}).Get(context.Background(), wrong); err == nil || !strings.Contains(err.Error(), "not the plain name") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// TestOffline: the network is not used, and the error says what to do by hand; when that is done, all is well.
func TestOffline(t *testing.T) {
	v := makeVersion(1, 1000, `"a"`)
	s := serving(t, v.serve)
	cache := s.cache(t)
	cache.Offline = true
	cache.Server = strings.Replace(cache.Server, "http://", "http://me:secret@", 1)
	file := filepath.Join(cache.Folder, name)
	fails(t, cache, "the network may not be used: fetch http://me:xxxxx@", "put it at "+file)
	if _, err := os.Stat(cache.Folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder was made: %v", err)
	}
	if err := os.MkdirAll(cache.Folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, v.content, 0o600); err != nil {
		t.Fatal(err)
	}
	cache.Server = "not needed"
	get(t, cache)
	if err := os.WriteFile(filepath.Join(cache.Folder, name+".lock"), nil, 0o600); err != nil { // wants counts it
		t.Fatal(err)
	}
	wants(t, cache, v)
	get(t, cache)
	if len(s.asked) != 0 {
		t.Errorf("%d requests", len(s.asked))
	}
}

// TestRecord: a file that has changed since it was first there is refused, and so is another one from the server.
func TestRecord(t *testing.T) {
	old, now := makeVersion(1, 1000, `"a"`), makeVersion(2, 1000, `"b"`)
	s := serving(t, old.serve, now.serve, old.serve)
	cache := s.cache(t)
	file := filepath.Join(cache.Folder, name)
	get(t, cache)

	damaged := bytes.Clone(old.content)
	damaged[500] ^= 1
	if err := os.WriteFile(file, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	fails(t, cache, "it was damaged or replaced; delete it to fetch it again")

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	fails(t, cache, "now holds another file, with SHA-256 ", "than was first fetched", "delete "+file+".sha256")
	get(t, cache)
	wants(t, cache, old)

	for _, text := range []string{"", "abc\n", strings.Repeat("a", 100_000)} {
		if err := os.WriteFile(file+".sha256", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		fails(t, cache, "holds no SHA-256: delete it if you trust")
	}
}

// TestCheck: what the caller finds wrong is neither kept nor recorded.
func TestCheck(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(makeVersion(1, 1000, "").content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	good := version{content: packed.Bytes()}
	flipped := bytes.Clone(packed.Bytes())
	flipped[len(flipped)-6] ^= 1 // in its checksum
	for _, c := range []struct {
		content []byte
		want    string
	}{
		{good.content[:len(good.content)-9], "damaged or cut off"}, {flipped, "damaged or cut off"}, {[]byte("no archive"), "not a gzip file"}, {nil, "not a gzip file"},
	} {
		s := serving(t, version{content: c.content}.serve, good.serve)
		cache := s.cache(t)
		cache.Check = Gzip
		fails(t, cache, "what "+s.URL+"/files/"+name+" holds is not what it should be", c.want, "; name another server, or put the file at "+filepath.Join(cache.Folder, name))
		if parts, err := filepath.Glob(filepath.Join(cache.Folder, "*.part*")); err != nil || len(parts) > 0 {
			t.Errorf("%v is left, %v", parts, err)
		}
		get(t, cache)
		wants(t, cache, good)
	}
}

// TestTwoAtOnce: of several that want the file at the same time, one fetches it.
func TestTwoAtOnce(t *testing.T) {
	v := makeVersion(1, 1000, `"a"`)
	s := serving(t)
	cache := s.cache(t)
	waiting := make(chan struct{}, 10)
	s.steps = append(s.steps, func(w http.ResponseWriter, r *http.Request) {
		<-waiting // another call says that it waits
		v.serve(w, r)
	})
	cache.Say = func(line string) {
		if strings.Contains(line, "another process is fetching the file") {
			waiting <- struct{}{}
		}
	}
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if _, err := cache.Get(context.Background(), name); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	wants(t, cache, v)
	if len(s.asked) != 1 {
		t.Errorf("%d requests", len(s.asked))
	}
}

// TestFolderFails: what is in the way is named.
func TestFolderFails(t *testing.T) {
	s := serving(t, makeVersion(1, 1000, `"a"`).serve)
	cache := s.cache(t)
	cache.Folder = t.TempDir()
	if err := os.Mkdir(filepath.Join(cache.Folder, name), 0o700); err != nil {
		t.Fatal(err)
	}
	fails(t, cache, filepath.Join(cache.Folder, name)+" is not a regular file: move it away")
	cache.Folder = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(cache.Folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fails(t, cache, cache.Folder, "not a directory")
}

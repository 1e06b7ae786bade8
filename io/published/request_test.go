package published

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestIfRange: what is asked for is the rest of the same file.
func TestIfRange(t *testing.T) {
	modified := time.Date(2019, 4, 1, 0, 0, 0, 0, time.UTC)
	content := makeVersion(1, 1000, "").content
	for _, c := range []struct {
		version version
		want    string
	}{
		{version{content, `"a"`, modified}, `"a"`},
		{version{content, `W/"a"`, modified}, "Mon, 01 Apr 2019 00:00:00 GMT"},
	} {
		s := serving(t, cut(500, c.version.serve), c.version.serve)
		get(t, s.cache(t))
		if got := s.asked[1].Get("If-Range"); got != c.want || s.asked[1].Get("Accept-Encoding") != "identity" {
			t.Errorf("asked with %v, want If-Range %q", s.asked[1], c.want)
		}
	}
}

// TestUnprotected: no one can lead us from https to http, and an unknown certificate ends it at once.
func TestUnprotected(t *testing.T) {
	plain := serving(t, makeVersion(1, 1000, `"a"`).serve)
	requests := 0
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		http.Redirect(w, r, plain.URL+r.URL.Path, http.StatusFound)
	}))
	defer secure.Close()
	cache := plain.cache(t)
	cache.Server, cache.transport = secure.URL+"/files", secure.Client().Transport
	fails(t, cache, "which is not protected")
	if requests != 1 || len(plain.asked) != 0 {
		t.Errorf("%d and %d requests", requests, len(plain.asked))
	}
	cache.transport = nil
	cache.pause = time.Hour
	fails(t, cache, "certificate", "by other means")
}

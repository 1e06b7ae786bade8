package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Without --weights the published ones are fetched once, into the user's cache.
func TestPublishedWeights(t *testing.T) {
	p := paddleCases[1]
	config, dir := p.configFile(t), t.TempDir()
	must(t, "model", "convert", paddleFile(p.weights), filepath.Join(dir, "folder"), "--to", "paddle-dir")
	packed := archive(t, filepath.Join(dir, "folder"), "attention_cluster_youtube8m/")
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Path != "/video/attention_cluster_youtube8m.tar.gz" {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(packed))
	}))
	defer server.Close()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	t.Setenv("AVCU_WEIGHTS_URL", server.URL+"/video/")
	args := []string{"infer", "--config", config, "--data", paddleFile(p.features), "--format", "jsonl"}
	code, _, log := avcu(t, append(args, "--offline")...)
	if code != 1 || asked != 0 || !strings.Contains(log, "put it at") {
		t.Errorf("offline: exit code %d after %d requests\n%s", code, asked, log)
	}
	want := must(t, append(args, "--weights", paddleFile(p.weights))...)
	for range 2 {
		code, out, log := avcu(t, args...)
		if code != 0 || out != want || asked != 1 {
			t.Fatalf("exit code %d after %d requests, the same result: %v\n%s", code, asked, out == want, log)
		}
	}
	code, _, log = avcu(t, "train", "--config", config, "--data", paddleFile(p.features), "--init-from", "published", "--max-steps", "1", "--batch-size", "4", "--save-dir", filepath.Join(dir, "run"))
	if code != 0 || strings.Contains(log, "initialised") || asked != 1 {
		t.Errorf("fine-tuning: exit code %d after %d requests\n%s", code, asked, log)
	}
}

// What is wrong with published weights is said with what to do: it may be the server, or the file that was kept.
func TestPublishedDamage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "avcu", publishedFile)
	var content []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(content)
	}))
	defer server.Close()
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("AVCU_WEIGHTS_URL", server.URL)
	fails := func(want ...string) {
		t.Helper()
		code, _, log := avcu(t, "model", "info", publishedName)
		for _, part := range want {
			if code != 1 || !strings.Contains(log, part) {
				t.Errorf("exit code %d, want %q in\n%s", code, part, log)
			}
		}
	}
	empty := t.TempDir()
	whole := archive(t, empty, "")
	if err := os.WriteFile(filepath.Join(empty, "evil"), []byte("no weights"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, content = range [][]byte{[]byte("<html>Sign in</html>"), whole[:len(whole)-3]} {
		fails("is not what it should be", "name another server, or put the file at "+file+" (AVCU_WEIGHTS_URL names another server)")
	}
	for _, content = range [][]byte{whole, archive(t, empty, "../")} {
		for range 2 { // the second one does not fetch
			fails("delete " + file + " to fetch the published weights again, or put a good file there")
		}
		if err := errors.Join(os.Remove(file), os.Remove(file+".sha256")); err != nil {
			t.Fatal(err)
		}
	}
}

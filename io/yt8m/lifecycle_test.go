package yt8m

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// noLeaks fails the test where it leaves goroutines of a Source behind.
func noLeaks(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		var stacks string
		for range 100 { // a goroutine that has been waited for may not have ended yet
			buf := make([]byte, 1<<20)
			stacks = string(buf[:runtime.Stack(buf, true)])
			if !strings.Contains(stacks, "yt8m.(*run)") && !strings.Contains(stacks, "yt8m.(*Source)") {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("goroutines left behind:\n%s", stacks)
	})
}

func TestCloseEarly(t *testing.T) {
	noLeaks(t)
	files := shards(t)
	for _, shuffle := range []bool{false, true} {
		for batches := range 15 {
			cfg := testConfig(files)
			cfg.Shuffle, cfg.ShuffleBuffer, cfg.BatchSize = shuffle, 9, 7
			s, err := NewSource(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Start(0, 0); err != nil {
				t.Fatal(err)
			}
			for range batches {
				if _, _, _, _, err := s.Next(); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if _, _, _, _, err := s.Next(); err != errClosed {
				t.Errorf("Next after Close: %v", err)
			}
			if err := s.Start(1, 0); err != errClosed {
				t.Errorf("Start after Close: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close again: %v", err)
			}
		}
	}
}

// TestStartEarly begins anew in the middle of an epoch.
func TestStartEarly(t *testing.T) {
	noLeaks(t)
	cfg := testConfig(shards(t))
	cfg.Shuffle = true
	s := newSource(t, cfg)
	want := ids(whole(t, s, 0, 0))
	for batches := range 14 {
		if err := s.Start(1, 0); err != nil {
			t.Fatal(err)
		}
		for range batches {
			if _, _, _, _, err := s.Next(); err != nil && err != io.EOF {
				t.Fatal(err)
			}
		}
		if got := ids(whole(t, s, 0, 0)); got != want {
			t.Fatalf("after %d batches of another epoch:\n%s\nwant\n%s", batches, got, want)
		}
	}
}

// TestCloseElsewhere closes a Source under a goroutine that reads it.
func TestCloseElsewhere(t *testing.T) {
	noLeaks(t)
	files := shards(t)
	for i := range 60 {
		cfg := testConfig(files)
		cfg.Shuffle, cfg.BatchSize = i%2 == 0, 1+i%5
		s, err := NewSource(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(0, 0); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		go func() {
			for {
				if _, _, _, _, err := s.Next(); err != nil {
					ended <- err
					return
				}
			}
		}()
		time.Sleep(time.Duration(i) * 20 * time.Microsecond)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			if err != errClosed && err != io.EOF {
				t.Errorf("Next: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("Next hangs")
		}
	}
}

// TestNextAllocatesIDsOnly checks the steady state: a string for each id and nothing else.
func TestNextAllocatesIDsOnly(t *testing.T) {
	dir := t.TempDir()
	for _, compress := range []bool{false, true} {
		name := "plain"
		if compress {
			name = "compressed"
		}
		// One shard: what is allocated once a file (of a compressed one, the decompressor) comes before the measurement.
		cfg := testConfig([]string{shard(t, filepath.Join(dir, name), compress, 0, 900)})
		cfg.Shuffle, cfg.ShuffleBuffer, cfg.RandomSampling, cfg.BatchSize = true, 30, true, 10
		s := newSource(t, cfg)
		whole(t, s, 0, 0)
		if err := s.Start(1, 0); err != nil {
			t.Fatal(err)
		}
		next := func() {
			if _, _, _, _, err := s.Next(); err != nil {
				t.Fatal(err)
			}
		}
		for range 20 {
			next()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 50 {
			next()
		}
		runtime.ReadMemStats(&after)
		// The ring may be three batches ahead in the end and none in the beginning; ten allocations may be the runtime's own.
		if got := after.Mallocs - before.Mallocs; got > 50*10+3*10+10 {
			t.Errorf("%s: %d allocations for 50 batches of 10 videos", name, got)
		}
	}
}

// TestOpenFilesAreFew reads more files than are kept open.
func TestOpenFilesAreFew(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for i := range openFiles + 20 {
		files = append(files, shard(t, filepath.Join(dir, fmt.Sprint(i)), false, 2*i, 2))
	}
	cfg := testConfig(files)
	cfg.Shuffle = true
	s := newSource(t, cfg)
	if n := len(whole(t, s, 0, 0)); n != 2*len(files) {
		t.Errorf("%d videos", n)
	}
	if n := len(s.handles.open); n != openFiles {
		t.Errorf("%d files are open, want %d", n, openFiles)
	}
	s.Close()
	if n := len(s.handles.open); n != 0 {
		t.Errorf("%d files are open after Close", n)
	}
}

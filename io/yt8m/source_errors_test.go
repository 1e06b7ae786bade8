package yt8m

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"avcu/io/tfrecord"
)

// TestSourceErrors puts one bad record or file among good ones.
func TestSourceErrors(t *testing.T) {
	dir := t.TempDir()
	damage := func(t *testing.T, name string, at int64, bit byte) {
		t.Helper()
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b[at] ^= bit
		if err := os.WriteFile(name, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	offsets := func(name string) (at []int64) {
		tfrecord.Scan(name, func(offset, _ int64) bool { at = append(at, offset); return true })
		return at
	}
	cases := []struct {
		name string
		make func(t *testing.T, file string) // makes the second of three files of 20 videos bad
		bad  int                             // number of the first bad video
		want string                          // FILE stands for its path
		is   error
	}{
		{"data", func(t *testing.T, f string) { damage(t, f, offsets(f)[7]+60, 1) }, 27, "tfrecord: FILE: record 7 at byte %d: data checksum mismatch", tfrecord.ErrDataChecksum},
		{"header", func(t *testing.T, f string) { damage(t, f, offsets(f)[7]+1, 1) }, 27, "tfrecord: FILE: record 7 at byte %d: length checksum mismatch", tfrecord.ErrLengthChecksum},
		{"two", func(t *testing.T, f string) { damage(t, f, offsets(f)[9]+60, 1); damage(t, f, offsets(f)[7]+60, 1) }, 27, "tfrecord: FILE: record 7 at byte %d: data checksum mismatch", tfrecord.ErrDataChecksum},
		{"pickle", func(t *testing.T, f string) { os.WriteFile(f, []byte("\x80\x02}q\x01."), 0o666) }, 20, "yt8m: FILE: the pickle holds a dict of 0", nil},
		{"text", func(t *testing.T, f string) { os.WriteFile(f, []byte("no videos in here at all"), 0o666) }, 20, "tfrecord: FILE: record 0 at byte 0: not a TFRecord file", tfrecord.ErrNotTFRecord},
		{"pickle that looks like zlib", func(t *testing.T, f string) { os.WriteFile(f, []byte("(S'abc'\np0\nS'x'\np1\ntp2\n."), 0o666) }, 20, "tfrecord: FILE: record 0 at byte 0: damaged compression: flate: corrupt input before offset 1 (copy or download the file again; or it is no compressed TFRecord at all", tfrecord.ErrCompression},
		{"missing", func(t *testing.T, f string) { os.Remove(f) }, 20, "yt8m: open FILE: no such file", os.ErrNotExist},
		{"width", func(t *testing.T, f string) {
			w, _ := tfrecord.Create(f, false)
			v := testVideo(20)
			v.Rows[1] = append(v.Rows[1], make([]byte, 4))
			w.Write(NewEncoder(testNames).Append(nil, v))
			w.Close()
		}, 20, `yt8m: FILE: record 0 at byte 0: feature "audio": frame 9 is 4 bytes wide, expected 3`, nil},
	}
	for _, c := range cases {
		files := []string{shard(t, filepath.Join(dir, c.name+"0"), false, 0, 20), shard(t, filepath.Join(dir, c.name+"1"), false, 20, 20), shard(t, filepath.Join(dir, c.name+"2"), true, 40, 20)}
		at := offsets(files[1])[7]
		c.make(t, files[1])
		for _, readers := range []int{1, 4} {
			for _, batch := range []int{1, 5, 8, 27, 100} {
				cfg := testConfig(files)
				cfg.Readers, cfg.BatchSize = readers, batch
				s := newSource(t, cfg)
				for range 2 { // an epoch after the error fails the same
					videos, err := epoch(t, s, 0, 0)
					want := strings.ReplaceAll(c.want, "FILE", files[1])
					if strings.Contains(want, "%d") {
						want = fmt.Sprintf(want, at)
					}
					if err == nil || !strings.HasPrefix(err.Error(), want) || c.is != nil && !errors.Is(err, c.is) {
						t.Fatalf("%s: error %v, want %q", c.name, err, want)
					}
					if n := c.bad / batch * batch; len(videos) != n { // the full batches before it
						t.Errorf("%s: %d readers, batches of %d: %d videos before the error, want %d", c.name, readers, batch, len(videos), n)
					}
				}
				if videos := whole(t, newSource(t, testConfig(files[2:])), 0, 0); len(videos) != 20 {
					t.Errorf("the good file alone gives %d videos", len(videos))
				}
			}
		}
		cfg := testConfig(files)
		cfg.Shuffle = true
		if _, err := epoch(t, newSource(t, cfg), 0, 0); err == nil || err == io.EOF {
			t.Errorf("%s: shuffled: %v", c.name, err)
		}
		_, err := newSource(t, cfg).Count()
		if framing := c.name != "data" && c.name != "two" && c.name != "width"; framing != (err != nil) {
			t.Errorf("%s: Count: %v", c.name, err)
		}
	}
}

// TestSourceSkipsWithoutDecoding resumes after a record whose data is damaged.
func TestSourceSkipsWithoutDecoding(t *testing.T) {
	file := shard(t, filepath.Join(t.TempDir(), "shard"), false, 0, 20)
	b, _ := os.ReadFile(file)
	b[12+30] ^= 1
	os.WriteFile(file, b, 0o666)
	s := newSource(t, testConfig([]string{file}))
	if _, err := epoch(t, s, 0, 0); !errors.Is(err, tfrecord.ErrDataChecksum) {
		t.Fatal(err)
	}
	if n := len(whole(t, s, 0, 1)); n != 19 {
		t.Errorf("%d videos", n)
	}
}

func TestSourceWithoutVideos(t *testing.T) {
	dir := t.TempDir()
	s := newSource(t, testConfig([]string{shard(t, dir+"/a", false, 0, 0), shard(t, dir+"/b", true, 0, 0)}))
	if _, err := epoch(t, s, 0, 0); !errors.Is(err, ErrNoVideo) || !strings.Contains(err.Error(), "2 files, the first "+dir+"/a: no video in the whole input") {
		t.Errorf("Next: %v", err)
	}
	if _, err := s.Count(); !errors.Is(err, ErrNoVideo) {
		t.Errorf("Count: %v", err)
	}
}

// TestSourceChangedFile replaces a file between two epochs.
func TestSourceChangedFile(t *testing.T) {
	file := shard(t, filepath.Join(t.TempDir(), "shard"), false, 0, 20)
	s := newSource(t, testConfig([]string{file}))
	whole(t, s, 0, 0)
	os.WriteFile(file, make([]byte, 500), 0o666) // the same file: it is still open
	if _, err := epoch(t, s, 1, 0); !errors.Is(err, tfrecord.ErrChanged) {
		t.Errorf("error %v", err)
	}
}

func TestConfigErrors(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"no files":                   func(c *Config) { c.Files = nil },
		"no feature names":           func(c *Config) { c.FeatureNames = nil },
		"0 frames a video":           func(c *Config) { c.Frames = 0 },
		"batch size 0":               func(c *Config) { c.BatchSize = 0 },
		"-1 readers":                 func(c *Config) { c.Readers = -1 },
		"over 64 GiB: lower the bat": func(c *Config) { c.BatchSize, c.Frames = 1<<20, 1<<20 },
	} {
		cfg := testConfig([]string{"any"})
		change(&cfg)
		if _, err := NewSource(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	s := newSource(t, testConfig([]string{"any"}))
	if _, _, _, _, err := s.Next(); err == nil || !strings.Contains(err.Error(), "Next before Start") {
		t.Errorf("Next before Start: %v", err)
	}
	if err := s.Start(-1, 0); err == nil {
		t.Error("epoch -1 starts")
	}
}

package yt8m

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"avcu/io/pickle"
	"avcu/io/tfrecord"

	"github.com/google/go-cmp/cmp"
)

// The feature files that Python 2.7 and 3 wrote, and their damaged copies, lie with the package that reads pickles.
const pickleDir = "../pickle/testdata"

type pickleCase struct {
	Name    string `json:"name"`
	Dims    []int  `json:"dims"`
	Classes int    `json:"classes"`
	Wrong   string `json:"wrong"`
	Videos  []struct {
		ID      string  `json:"video"`
		Frames  int     `json:"nframes"`
		Labels  []int32 `json:"label"`
		Rows    [2]int  `json:"rows"`
		Feature string  `json:"feature_sha256"`
		Audio   string  `json:"audio_sha256"`
	} `json:"videos"`
}

func pickleCases(t testing.TB) []pickleCase {
	t.Helper()
	var manifest struct {
		Cases []pickleCase `json:"cases"`
	}
	text, err := os.ReadFile(filepath.Join(pickleDir, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(text, &manifest)
	}
	if err != nil || len(manifest.Cases) < 20 {
		t.Fatalf("%d cases: %v", len(manifest.Cases), err)
	}
	return manifest.Cases
}

func TestPickleGolden(t *testing.T) {
	for _, c := range pickleCases(t) {
		if c.Wrong != "" {
			continue
		}
		for _, all := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/all=%v", c.Name, all), func(t *testing.T) {
				r := openPair(t, filepath.Join(pickleDir, c.Name), c.Dims, c.Classes, map[bool]int{true: -1}[all])
				if !r.Pickled() || r.Form() != tfrecord.Unknown {
					t.Errorf("not a pickle: form %v", r.Form())
				}
				for i, want := range c.Videos {
					v, err := r.Next()
					if err != nil {
						t.Fatal(err)
					}
					if at := (tfrecord.Position{File: filepath.Join(pickleDir, c.Name), Record: int64(i), Offset: -1}); r.Position() != at {
						t.Errorf("position %v, want %v", r.Position(), at)
					}
					got := want
					got.ID, got.Labels, got.Frames = string(v.ID), append([]int32{}, v.Labels...), v.Frames
					if !all { // rows after nframes have no meaning
						want.Rows = [2]int{want.Frames, want.Frames}
					}
					got.Rows = [2]int{len(v.Rows[0]), len(v.Rows[1])}
					if got.Rows == c.Videos[i].Rows { // the digests are of all rows
						got.Feature, got.Audio = digest(v.Rows[0]), digest(v.Rows[1])
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("video %d (-want +got):\n%s", i, diff)
					}
				}
				if _, err := r.Next(); err != io.EOF {
					t.Errorf("after the last video: %v", err)
				}
			})
		}
	}
}

func TestPickleDamage(t *testing.T) {
	want := map[string]string{
		"bad/a_dict.pkl":          "yt8m: FILE: the pickle holds a dict of 5, expected a list with a dict for each video (video, feature, audio, label, nframes): write it again",
		"bad/audio_short.pkl":     `yt8m: FILE: video 1: feature "audio": 4 rows and nframes is 5, expected a row for each frame: write the video again, or remove it`,
		"bad/float_feature.pkl":   `yt8m: FILE: video 1: feature "rgb": an array of float32 of shape [5 6], expected an array of uint8 with a row of 6 for each frame: quantise the features and write the file again`,
		"bad/label_negative.pkl":  `yt8m: FILE: video 1: feature "label": label -1 is negative: remove the label or the video`,
		"bad/label_too_big.pkl":   `yt8m: FILE: video 1: feature "label": label 3862, expected 0 to 3861: set num_classes to the number of classes, or remove the video`,
		"bad/nframes_too_big.pkl": `yt8m: FILE: video 1: feature "rgb": 5 rows and nframes is 9, expected a row for each frame: write the video again, or remove it`,
		"bad/nframes_zero.pkl":    `yt8m: FILE: video 1: feature "nframes": 0 frames, expected one or more: remove the video`,
		"bad/no_audio.pkl":        `yt8m: FILE: video 1: feature "audio": missing; the video has the keys "video", "feature", "label", "nframes": set feature_names to the names in these files (feature stands for rgb)`,
		"bad/width.pkl":           `yt8m: FILE: video 1: feature "audio": frames are 4 wide, expected 3: set feature_dims to the widths of these files, or remove the video`,
		"bad/truncated.pkl":       "pickle: FILE: byte 1012: truncated",
		"bad/empty.pkl":           "pickle: FILE: byte 0: truncated",
		"bad/not_a_pickle.pkl":    "tfrecord: FILE: record 0 at byte 0: not a TFRecord file: its first 12 bytes are not the header of a record, and none follows (expected TFRecord, plain or compressed with gzip or zlib, or a pickle of a list of videos",
		"bad/unsafe.pkl":          "pickle: FILE: byte ",
	}
	for _, c := range pickleCases(t) {
		if c.Wrong == "" {
			continue
		}
		name := filepath.Join(pickleDir, c.Name)
		spec := Spec{Names: []string{"rgb", "audio"}, Dims: []int{6, 3}, Classes: 3862}
		text, found := want[c.Name]
		delete(want, c.Name)
		r, err := Open(name, spec)
		if strings.Contains(text, "video 1") && err == nil {
			if _, err = r.Next(); err == nil {
				_, err = r.Next()
			}
			var e *Error
			if !errors.As(err, &e) || e.Record != 1 || e.File != name {
				t.Errorf("%s: error %v is not of video 1", c.Name, err)
			}
			if _, err := r.Next(); err != nil && err != io.EOF { // reading goes on after it
				t.Errorf("%s: the next video: %v", c.Name, err)
			}
		} else if err == nil {
			_, err = r.Next()
		}
		if text = strings.ReplaceAll(text, "FILE", name); !found || err == nil || !strings.HasPrefix(err.Error(), text) {
			t.Errorf("%s: error reads\n%v\nwant\n%s", c.Name, err, text)
		}
	}
	if len(want) > 0 {
		t.Errorf("not in the manifest: %v", want)
	}
}

// pickleShard writes test videos from number first on to a pickle.
func pickleShard(t testing.TB, name string, first, n int) string {
	t.Helper()
	var videos []*Video
	for k := first; k < first+n; k++ {
		v := testVideo(k)
		v.Frames = len(v.Rows[0])
		videos = append(videos, v)
	}
	writePickle(t, name, testNames, videos)
	return name
}

func writePickle(t testing.TB, name string, names []string, videos []*Video) {
	t.Helper()
	var b bytes.Buffer
	out := pickle.NewEncoder(&b)
	e, err := NewPickleEncoder(out, names)
	if err != nil {
		t.Fatal(err)
	}
	out.List(func() {
		for _, v := range videos {
			e.Encode(v)
		}
	})
	if err := errors.Join(out.Close(), os.WriteFile(name, b.Bytes(), 0o666)); err != nil {
		t.Fatal(err)
	}
}

// mixed writes the videos of shards, in the same files by number: pickles, TFRecords and compressed ones by turns.
func mixed(t testing.TB) (files []string) {
	dir := t.TempDir()
	first := 0
	for i, n := range []int{13, 1, 0, 30, 0, 20, 9, 27} {
		name := filepath.Join(dir, fmt.Sprintf("shard%d", i))
		if i%2 == 0 {
			files = append(files, pickleShard(t, name, first, n))
		} else {
			files = append(files, shard(t, name, i%3 == 0, first, n))
		}
		first += n
	}
	return files
}

// TestPickleIsTFRecord: the same videos in any form are the same batches, however many readers there are, and after a resume.
func TestPickleIsTFRecord(t *testing.T) {
	plain := shards(t)
	for _, files := range [][]string{mixed(t), pickles(t)} {
		for _, readers := range []int{1, 3} {
			for _, train := range []bool{false, true} {
				cfg := testConfig(plain)
				cfg.Readers, cfg.Shuffle, cfg.RandomSampling, cfg.ShuffleBuffer = readers, train, train, 17
				a := newSource(t, cfg)
				cfg.Files = files
				b := newSource(t, cfg)
				if n, err := b.Count(); n != 100 || err != nil {
					t.Errorf("Count: %d, %v", n, err)
				}
				for number := range 3 {
					want := whole(t, a, number, 0)
					if diff := cmp.Diff(want, whole(t, b, number, 0)); diff != "" {
						t.Fatalf("readers %d, shuffled %v, epoch %d (-TFRecord +pickle):\n%s", readers, train, number, diff)
					}
					if diff := cmp.Diff(want[41:], whole(t, b, number, 41)); diff != "" {
						t.Errorf("after a resume at video 41 (-want +got):\n%s", diff)
					}
				}
			}
		}
	}
}

// pickles writes the videos of shards to pickles alone.
func pickles(t testing.TB) (files []string) {
	dir := t.TempDir()
	first := 0
	for i, n := range []int{13, 1, 0, 30, 0, 20, 9, 27} {
		files = append(files, pickleShard(t, filepath.Join(dir, fmt.Sprintf("shard%d", i)), first, n))
		first += n
	}
	return files
}

func TestPickleErrorsInSource(t *testing.T) {
	noLeaks(t)
	good := pickleShard(t, filepath.Join(t.TempDir(), "good.pkl"), 0, 20)
	for _, c := range []struct {
		name string
		good int // videos before the error
		want string
	}{
		{"width.pkl", 21, "video 1: feature \"audio\": frames are 4 wide, expected 3"},
		{"truncated.pkl", 20, "byte 1012: truncated"},
		{"a_dict.pkl", 20, "the pickle holds a dict"},
		{"unsafe.pkl", 20, "posix.getcwd"},
		{"empty.pkl", 20, "byte 0: truncated"},
	} {
		cfg := testConfig([]string{good, filepath.Join(pickleDir, "bad", c.name), good})
		cfg.BatchSize, cfg.Classes = 1, 3862
		videos, err := epoch(t, newSource(t, cfg), 0, 0)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.name) || len(videos) != c.good {
			t.Errorf("%s: %d videos, then %v", c.name, len(videos), err)
		}
	}
}

// TestPickleStaysInFile: what is listed holds no frames, and what was listed is let go.
func TestPickleStaysInFile(t *testing.T) {
	const n, frames, dim = 40, 500, 1000
	row := bytes.Repeat([]byte{7}, dim)
	v := &Video{ID: []byte("long"), Frames: frames, Rows: [][][]byte{make([][]byte, frames)}}
	for i := range v.Rows[0] {
		v.Rows[0][i] = row
	}
	name := filepath.Join(t.TempDir(), "large.pkl")
	var videos []*Video
	for range n {
		videos = append(videos, v)
	}
	writePickle(t, name, []string{"flow"}, videos)
	videos = nil
	p := &pickled{name: name, handles: newHandles(1, 1)}
	defer p.handles.close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p.prepare()
	var records []record
	if err := p.list(func(r record) bool { records = append(records, r); return true }); err != nil || len(records) != n {
		t.Fatalf("%d records, %v", len(records), err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes to list %d of frames", used, n*frames*dim)
	}
	if p.items != nil || p.ready {
		t.Error("what was listed is kept")
	}
	d, err := NewDecoder(Spec{Names: []string{"flow"}, Dims: []int{dim}})
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{decoder: d}
	for _, r := range records {
		if err := p.decode(w, r); err != nil || w.video.Frames != frames || !bytes.Equal(w.video.Rows[0][frames-1], row) {
			t.Fatalf("%d frames, %v", w.video.Frames, err)
		}
	}
}

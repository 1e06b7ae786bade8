package synth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"avcu/io/yt8m"

	"github.com/google/go-cmp/cmp"
)

func small(dir string) Options {
	return Options{Dir: dir, Videos: 90, Shards: 4, Classes: 20, Features: []Feature{{"rgb", 24}, {"audio", 9}}, MinFrames: 3, MaxFrames: 70, Seed: 5}
}

// read returns the videos of files, and their bytes one after another.
func read(t *testing.T, o Options, files []string) (videos []yt8m.Video, content []byte) {
	t.Helper()
	spec := yt8m.Spec{Classes: o.Classes, MaxFrames: -1}
	for _, f := range o.Features {
		spec.Names, spec.Dims = append(spec.Names, f.Name), append(spec.Dims, f.Dim)
	}
	for _, name := range files {
		r, err := yt8m.Open(name, spec)
		if err != nil {
			t.Fatal(err)
		}
		for {
			v, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			kept := yt8m.Video{ID: bytes.Clone(v.ID), Labels: append([]int32(nil), v.Labels...), Frames: v.Frames}
			for _, rows := range v.Rows {
				var all [][]byte
				for _, row := range rows {
					all = append(all, bytes.Clone(row))
				}
				kept.Rows = append(kept.Rows, all)
			}
			videos = append(videos, kept)
		}
		r.Close()
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		content = append(content, b...)
	}
	return videos, content
}

func write(t *testing.T, o Options) []string {
	t.Helper()
	files, err := Write(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestWrite(t *testing.T) {
	o := small(t.TempDir())
	var last int64
	o.Progress = func(videos int64) {
		if videos != last+1 {
			t.Errorf("progress from %d to %d", last, videos)
		}
		last = videos
	}
	files := write(t, o)
	if len(files) != 4 || files[3] != filepath.Join(o.Dir, "train0003.tfrecord") || last != 90 {
		t.Errorf("files %v, progress %d", files, last)
	}
	videos, content := read(t, o, files)
	ids, labels, frames := map[string]bool{}, map[int]int{}, map[int]bool{}
	for _, v := range videos {
		ids[string(v.ID)] = true
		labels[len(v.Labels)]++
		frames[v.Frames] = true
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{4}$`).Match(v.ID) || len(v.Rows[0]) != len(v.Rows[1]) || v.Frames < 3 || v.Frames > 70 {
			t.Errorf("video %q has %d and %d frames", v.ID, len(v.Rows[0]), len(v.Rows[1]))
		}
		for i := 1; i < len(v.Labels); i++ {
			if v.Labels[i] <= v.Labels[i-1] {
				t.Errorf("labels %v", v.Labels)
			}
		}
	}
	if len(videos) != 90 || len(ids) != 90 || len(labels) != 5 || labels[0] != 0 || len(frames) < 40 {
		t.Errorf("%d videos, %d ids, numbers of labels %v, %d of frames", len(videos), len(ids), labels, len(frames))
	}

	same := func(name string, change func(*Options)) bool {
		o := small(t.TempDir())
		change(&o)
		_, got := read(t, o, write(t, o))
		return bytes.Equal(content, got)
	}
	for name, change := range map[string]func(*Options){
		"the same":       func(*Options) {},
		"one worker":     func(o *Options) { o.Workers = 1 },
		"seven workers":  func(o *Options) { o.Workers = 7 },
		"other shards":   func(o *Options) { o.Shards = 9 },
		"another prefix": func(o *Options) { o.Prefix = "validate" },
	} {
		if !same(name, change) {
			t.Errorf("%s: other videos", name)
		}
	}
	for name, change := range map[string]func(*Options){
		"another seed":     func(o *Options) { o.Seed++ },
		"other prototypes": func(o *Options) { o.PrototypeSeed++ },
		"one video less":   func(o *Options) { o.Videos-- },
	} {
		if same(name, change) {
			t.Errorf("%s: the same videos", name)
		}
	}
}

// TestVideosAreTheirOwn checks that a video does not depend on how many there are.
func TestVideosAreTheirOwn(t *testing.T) {
	o := small(t.TempDir())
	all, _ := read(t, o, write(t, o))
	o.Dir, o.Videos, o.Shards = t.TempDir(), 70, 3
	some, _ := read(t, o, write(t, o))
	if diff := cmp.Diff(all[:70], some, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("(-of 90 videos +of 70):\n%s", diff)
	}
}

// TestLearnable finds the labels of one set by what another set, of other videos, shows of its classes.
func TestLearnable(t *testing.T) {
	mean := func(v yt8m.Video) (x []float64) {
		for _, rows := range v.Rows {
			for d := range rows[0] {
				sum := 0.0
				for _, row := range rows {
					sum += float64(row[d]) - 128
				}
				x = append(x, sum/float64(len(rows)))
			}
		}
		return x
	}
	o := small(t.TempDir())
	o.Videos, o.MinFrames = 600, 40
	train, _ := read(t, o, write(t, o))
	o.Seed, o.Prefix, o.Videos = 6, "validate", 200
	valid, _ := read(t, o, write(t, o))
	classes := make([][]float64, o.Classes) // the mean of each class's videos, less that of all
	counts := make([]float64, o.Classes)
	all := make([]float64, 33)
	for _, v := range train {
		x := mean(v)
		for d := range x {
			all[d] += x[d] / float64(len(train))
		}
		for _, label := range v.Labels {
			counts[label]++
			if classes[label] == nil {
				classes[label] = make([]float64, len(x))
			}
			for d := range x {
				classes[label][d] += x[d]
			}
		}
	}
	hits := 0
	for _, v := range valid {
		x, best, at := mean(v), math.Inf(-1), -1
		for c, sum := range classes {
			score, norm := 0.0, 0.0
			for d := range x {
				w := sum[d]/counts[c] - all[d]
				score += x[d] * w
				norm += w * w
			}
			if score /= math.Sqrt(norm); score > best {
				best, at = score, c
			}
		}
		for _, label := range v.Labels {
			if int(label) == at {
				hits++
			}
		}
	}
	// By chance 15 % would be right, three labels of twenty.
	if hits < 180 {
		t.Errorf("the best class of %d of %d videos is a label", hits, len(valid))
	}
}

func TestAddSaturated(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for x := range 256 {
		for y := range 256 {
			place := 8 * rnd.IntN(8)
			others, more := rnd.Uint64(), rnd.Uint64()
			mask := uint64(0xff) << place
			got := addSaturated(others&^mask|uint64(x)<<place, more&^mask|uint64(y)<<place)
			if byte(got>>place) != byte(min(255, x+y)) {
				t.Fatalf("%d + %d in byte %d is %d", x, y, place/8, byte(got>>place))
			}
		}
	}
}

func TestNoise(t *testing.T) {
	w := newWorld(Options{Classes: 1, Videos: 1})
	sum, squares := 0.0, 0.0
	for _, b := range w.noise {
		sum += float64(b) / 256
		squares += float64(b) * float64(b) / 256
	}
	// 256 quantiles of a normal distribution fall a little short of its deviation.
	if deviation := math.Sqrt(squares - sum*sum); math.Abs(sum-128) > 0.5 || math.Abs(deviation-noise) > 0.5 {
		t.Errorf("mean %v, deviation %v", sum, deviation)
	}
}

func TestIDs(t *testing.T) {
	for _, videos := range []int64{1 << 18, 1<<24 + 1} {
		w := newWorld(Options{Videos: videos, Seed: 9})
		if want := map[int64]int{1 << 18: 4, 1<<24 + 1: 5}[videos]; w.width != want {
			t.Errorf("%d videos: ids of %d characters", videos, w.width)
		}
		seen := make(map[string]bool)
		id := make([]byte, w.width)
		for k := range int64(1 << 18) {
			w.id(id, videos-1-k)
			seen[string(id)] = true
		}
		if len(seen) != 1<<18 {
			t.Errorf("%d different ids of %d", len(seen), 1<<18)
		}
	}
}

func TestErrors(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"no folder":                         func(o *Options) { o.Dir = "" },
		"0 videos":                          func(o *Options) { o.Videos = 0 },
		"91 shards for 90 videos":           func(o *Options) { o.Shards = 91 },
		"-1 classes":                        func(o *Options) { o.Classes = -1 },
		"9 to 8 frames":                     func(o *Options) { o.MinFrames, o.MaxFrames = 9, 8 },
		`prefix "a/b"`:                      func(o *Options) { o.Prefix = "a/b" },
		`feature name "rgb" is there twice`: func(o *Options) { o.Features = append(o.Features, o.Features[0]) },
		"4 GiB of prototypes":               func(o *Options) { o.Classes, o.Features[0].Dim = 1<<20, 1<<19 },
	} {
		o := small(t.TempDir())
		change(&o)
		if _, err := Write(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	o := small(t.TempDir())
	write(t, o)
	write(t, o) // over the same
	o.Shards = 3
	if _, err := Write(context.Background(), o); err == nil || !strings.Contains(err.Error(), "train0003.tfrecord is of another set than the 3 shards") {
		t.Errorf("error %v", err)
	}
}

// TestCancel stops in the middle: no unfinished file stays.
func TestCancel(t *testing.T) {
	o := small(t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	o.Progress = func(videos int64) {
		if videos == 60 {
			cancel()
		}
	}
	if _, err := Write(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	entries, _ := os.ReadDir(o.Dir)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".tfrecord") || e.Name()[0] == '.' {
			t.Errorf("left behind: %s", e.Name())
		}
	}
	if len(entries) == 4 {
		t.Error("all shards are written")
	}
}

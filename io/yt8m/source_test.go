package yt8m

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"avcu/io/tfrecord"

	"github.com/google/go-cmp/cmp"
)

// What the training loop expects.
var _ interface {
	Start(epoch int, skip int64) error
	Next() (features [][]byte, offsets, labels []int32, ids []string, err error)
	Count() (int64, error)
	Close() error
} = (*Source)(nil)

var testNames, testDims = []string{"rgb", "audio"}, []int{6, 3}

// testVideo is a video whose content is a function of its number.
func testVideo(k int) *Video {
	v := &Video{ID: fmt.Appendf(nil, "v%03d", k)}
	for i := range k % 4 {
		v.Labels = append(v.Labels, int32((k*7+20-3*i)%10), int32((k*7+20-3*i)%10)) // out of order and repeated
	}
	for _, dim := range testDims {
		var rows [][]byte
		for i := range 1 + k*5%23 {
			row := make([]byte, dim)
			for d := range row {
				row[d] = byte(k + 31*i + 7*d)
			}
			rows = append(rows, row)
		}
		v.Rows = append(v.Rows, rows)
	}
	return v
}

// shard writes videos from number first on to a file.
func shard(t testing.TB, name string, compress bool, first, n int) string {
	t.Helper()
	w, err := tfrecord.Create(name, compress)
	if err != nil {
		t.Fatal(err)
	}
	e := NewEncoder(testNames)
	for k := first; k < first+n; k++ {
		if err := w.Write(e.Append(nil, testVideo(k))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// shards writes 100 videos, numbered in order, to files of all kinds.
func shards(t testing.TB) (files []string) {
	dir := t.TempDir()
	first := 0
	for i, n := range []int{13, 1, 0, 30, 0, 20, 9, 27} {
		name := filepath.Join(dir, fmt.Sprintf("shard%d", i))
		files = append(files, shard(t, name, i%3 == 2, first, n))
		first += n
	}
	return files
}

func testConfig(files []string) Config {
	return Config{Files: files, FeatureNames: testNames, FeatureDims: testDims, Frames: 5, Classes: 10, BatchSize: 8, Readers: 2, Seed: 3}
}

func newSource(t testing.TB, cfg Config) *Source {
	t.Helper()
	s, err := NewSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A delivery is one video as a batch holds it.
type delivery struct {
	ID       string
	Labels   []int32
	Features string // a digest
}

// epoch reads what is left of an epoch, and checks the shapes of its batches.
func epoch(t testing.TB, s *Source, number int, skip int64) (videos []delivery, err error) {
	t.Helper()
	if err := s.Start(number, skip); err != nil {
		t.Fatal(err)
	}
	short := false
	for {
		features, offsets, labels, ids, err := s.Next()
		if err != nil {
			if _, _, _, _, again := s.Next(); again != err {
				t.Errorf("Next after %v: %v", err, again)
			}
			return videos, err
		}
		n := len(ids)
		if n < 1 || n > s.cfg.BatchSize || short {
			t.Errorf("a batch of %d videos, after a short one: %v", n, short)
		}
		short = n < s.cfg.BatchSize
		if len(offsets) != n+1 || offsets[0] != 0 || int(offsets[n]) != len(labels) || len(features) != len(s.cfg.FeatureDims) {
			t.Fatalf("%d videos, offsets %v, %d labels, %d features", n, offsets, len(labels), len(features))
		}
		for b := range n {
			h := sha256.New()
			for m, dim := range s.cfg.FeatureDims {
				size := s.cfg.Frames * dim
				if len(features[m]) != n*size {
					t.Fatalf("feature %d has %d bytes for %d videos", m, len(features[m]), n)
				}
				h.Write(features[m][b*size : (b+1)*size])
			}
			videos = append(videos, delivery{ids[b], append([]int32{}, labels[offsets[b]:offsets[b+1]]...), string(h.Sum(nil))})
		}
	}
}

// whole is epoch that must end well.
func whole(t testing.TB, s *Source, number int, skip int64) []delivery {
	t.Helper()
	videos, err := epoch(t, s, number, skip)
	if err != io.EOF {
		t.Fatal(err)
	}
	return videos
}

// expected is what a Source must make of test video k.
func expected(k int, sampler Sampler, number, frames int) delivery {
	v := testVideo(k)
	index := make([]int32, frames)
	sampler.Fill(index, len(v.Rows[0]), number, v.ID)
	h := sha256.New()
	for m := range testDims {
		for _, i := range index {
			h.Write(v.Rows[m][i])
		}
	}
	d := delivery{ID: string(v.ID), Labels: []int32{}, Features: string(h.Sum(nil))}
	for label := range int32(10) {
		if bytes.Contains(labelBytes(v.Labels), []byte{byte(label)}) {
			d.Labels = append(d.Labels, label)
		}
	}
	return d
}

func labelBytes(labels []int32) (b []byte) {
	for _, label := range labels {
		b = append(b, byte(label))
	}
	return b
}

func TestSourceInOrder(t *testing.T) {
	files := shards(t)
	for _, random := range []bool{false, true} {
		for _, batch := range []int{1, 8, 10, 100, 1000} {
			cfg := testConfig(files)
			cfg.RandomSampling, cfg.BatchSize = random, batch
			s := newSource(t, cfg)
			for number := range 2 {
				var want []delivery
				for k := range 100 {
					want = append(want, expected(k, Sampler{random, cfg.Seed}, number, cfg.Frames))
				}
				if diff := cmp.Diff(want, whole(t, s, number, 0)); diff != "" {
					t.Fatalf("random %v, batch %d, epoch %d (-want +got):\n%s", random, batch, number, diff)
				}
			}
			if n, err := s.Count(); n != 100 || err != nil {
				t.Errorf("Count: %d, %v", n, err)
			}
		}
	}
}

func ids(videos []delivery) string {
	var s []string
	for _, v := range videos {
		s = append(s, v.ID)
	}
	return strings.Join(s, " ")
}

func TestSourceShuffled(t *testing.T) {
	files := shards(t)
	for _, buffer := range []int{1, 7, 50, 0} {
		orders := map[string]string{}
		for _, readers := range []int{1, 2, 7} {
			cfg := testConfig(files)
			cfg.Shuffle, cfg.ShuffleBuffer, cfg.Readers, cfg.RandomSampling = true, buffer, readers, true
			s := newSource(t, cfg)
			s.held = 60 << 10 // fifteen compressed records
			for _, number := range []int{0, 1, 5, 1} {
				videos := whole(t, s, number, 0)
				seen := map[string]bool{}
				for _, v := range videos {
					var k int
					fmt.Sscanf(v.ID, "v%d", &k)
					if diff := cmp.Diff(expected(k, Sampler{true, cfg.Seed}, number, cfg.Frames), v); diff != "" {
						t.Fatalf("(-want +got):\n%s", diff)
					}
					seen[v.ID] = true
				}
				if len(videos) != 100 || len(seen) != 100 {
					t.Fatalf("%d videos, %d different ones", len(videos), len(seen))
				}
				key := fmt.Sprint("epoch ", number)
				if order, ok := orders[key]; ok && order != ids(videos) {
					t.Errorf("buffer %d, %s: another order with %d readers:\n%s\n%s", buffer, key, readers, order, ids(videos))
				}
				orders[key] = ids(videos)
			}
			cfg.Seed++
			orders[fmt.Sprint("seed ", cfg.Seed)] = ids(whole(t, newSource(t, cfg), 0, 0))
		}
		different := map[string]bool{}
		for _, order := range orders {
			different[order] = true
		}
		if len(orders) != 4 || len(different) != 4 {
			t.Errorf("buffer %d: %d orders, %d different ones", buffer, len(orders), len(different))
		}
	}
}

// TestSourceOneFile shuffles records alone, as there is one order of one file.
func TestSourceOneFile(t *testing.T) {
	for _, compress := range []bool{false, true} {
		cfg := testConfig([]string{shard(t, filepath.Join(t.TempDir(), "shard"), compress, 0, 50)})
		cfg.Shuffle, cfg.ShuffleBuffer = true, 20
		s := newSource(t, cfg)
		orders := map[string]bool{}
		for number := range 4 {
			orders[ids(whole(t, s, number, 0))] = true
		}
		if len(orders) != 4 {
			t.Errorf("four epochs have %d orders", len(orders))
		}
	}
}

func TestSourceResume(t *testing.T) {
	files := shards(t)
	for _, shuffle := range []bool{false, true} {
		cfg := testConfig(files)
		cfg.Shuffle, cfg.RandomSampling = shuffle, true
		s := newSource(t, cfg)
		unbroken := whole(t, s, 4, 0)
		for _, skip := range []int64{1, 7, 8, 16, 50, 99, 100} {
			cfg.Readers = int(1 + skip%3)
			if diff := cmp.Diff(unbroken[skip:], append([]delivery{}, whole(t, newSource(t, cfg), 4, skip)...)); diff != "" {
				t.Errorf("shuffle %v, after %d videos (-unbroken +resumed):\n%s", shuffle, skip, diff)
			}
		}
		_, err := epoch(t, s, 4, 101)
		if err == nil || !strings.Contains(err.Error(), "resume after video 101 of epoch 4, which has 100") {
			t.Errorf("after 101 videos: %v", err)
		}
	}
}

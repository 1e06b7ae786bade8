package yt8m

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"avcu/io/allocation"
	"avcu/io/pickle"

	"github.com/google/go-cmp/cmp"
)

// readOne decodes the first video of a pickle that write writes.
func readOne(t *testing.T, write func(e *pickle.Encoder)) (*Video, error) {
	t.Helper()
	var b bytes.Buffer
	e := pickle.NewEncoder(&b)
	e.List(func() { write(e) })
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder(Spec{Names: []string{"rgb"}, Dims: []int{2}, Classes: 9})
	if err != nil {
		t.Fatal(err)
	}
	items, err := unpickle(bytes.NewReader(b.Bytes()), int64(b.Len()), "x.pkl")
	if err != nil {
		t.Fatal(err)
	}
	p := pickledVideos{name: "x.pkl", items: items}
	return p.next(d, &Video{})
}

// array writes an array of these elements.
func array(e *pickle.Encoder, of pickle.DType, shape []int, data string) {
	e.Array(of, shape, func(w io.Writer) error { _, err := io.WriteString(w, data); return err })
}

// TestPickledKinds: the types in which Python writes the parts of a video.
func TestPickledKinds(t *testing.T) {
	parts := func(e *pickle.Encoder) map[string]func() {
		return map[string]func(){
			"video":   func() { e.Text("abcd") },
			"feature": func() { array(e, pickle.Uint8, []int{2, 2}, "wxyz") },
			"nframes": func() { e.Int(2) },
			"label":   func() { e.List(func() { e.Int(3) }) },
		}
	}
	for _, c := range []struct {
		name, key string
		write     func(e *pickle.Encoder) // nil: the key is left out
		want      string                  // part of the error, or "" for the video
	}{
		{"as it is", "label", func(e *pickle.Encoder) { e.List(func() { e.Int(3) }) }, ""},
		{"labels in a tuple", "label", func(e *pickle.Encoder) { e.Tuple(func() { e.Int(3) }) }, ""},
		{"labels in an array", "label", func(e *pickle.Encoder) { array(e, pickle.Int16, []int{1}, "\x03\x00") }, ""},
		{"a label alone in an array", "label", func(e *pickle.Encoder) { array(e, pickle.Uint8, nil, "\x03") }, ""},
		{"the id as bytes", "video", func(e *pickle.Encoder) { e.Bytes([]byte("abcd")) }, ""},
		{"the id as str", "video", func(e *pickle.Encoder) { e.Str("abcd") }, ""},
		{"more rows than frames", "feature", func(e *pickle.Encoder) { array(e, pickle.Uint8, []int{3, 2}, "wxyz??") }, ""},

		{"no id", "video", nil, `feature "video": missing; the video has the keys "feature", "label", "nframes": write the file again`},
		{"no labels", "label", nil, `feature "label": missing`},
		{"no count", "nframes", nil, `feature "nframes": missing`},
		{"no feature", "feature", nil, `feature "rgb": missing; the video has the keys "label", "nframes", "video": set feature_names`},
		{"an empty id", "video", func(e *pickle.Encoder) { e.Str("") }, `feature "video": empty, expected`},
		{"a number as id", "video", func(e *pickle.Encoder) { e.Int(7) }, `feature "video": an int, expected`},
		{"text as labels", "label", func(e *pickle.Encoder) { e.Text("3") }, `feature "label": a string, expected`},
		{"a class name", "label", func(e *pickle.Encoder) { e.List(func() { e.Text("cat") }) }, `a list of 1 with a string in it`},
		{"a float", "label", func(e *pickle.Encoder) { e.List(func() { e.Float(3) }) }, `a list of 1 with a float in it`},
		{"flags for labels", "label", func(e *pickle.Encoder) { array(e, pickle.Bool, []int{3}, "\x00\x00\x01") }, `an array of bool of shape [3], expected`},
		{"floats for labels", "label", func(e *pickle.Encoder) { array(e, pickle.Float32, []int{1}, "\x00\x00\x80\x3f") }, `an array of float32 of shape [1], expected`},
		{"a table of labels", "label", func(e *pickle.Encoder) { array(e, pickle.Uint8, []int{1, 2}, "\x01\x02") }, `shape [1 2], expected`},
		{"a label too big", "label", func(e *pickle.Encoder) { array(e, pickle.Uint8, []int{2}, "\x01\x09") }, `label 9, expected 0 to 8`},
		{"a label below 0", "label", func(e *pickle.Encoder) { e.List(func() { e.Int(-4) }) }, `label -4 is negative`},
		{"half a frame", "nframes", func(e *pickle.Encoder) { e.Float(1.5) }, `feature "nframes": a float, expected`},
		{"frames below 0", "nframes", func(e *pickle.Encoder) { e.Int(-1) }, `-1 frames`},
		{"very many frames", "nframes", func(e *pickle.Encoder) { e.Int(1 << 40) }, `1099511627776 frames`},
		{"one row too few", "nframes", func(e *pickle.Encoder) { e.Int(3) }, `feature "rgb": 2 rows and nframes is 3`},
		{"a flat array", "feature", func(e *pickle.Encoder) { array(e, pickle.Uint8, []int{4}, "wxyz") }, `an array of uint8 of shape [4], expected`},
		{"signed bytes", "feature", func(e *pickle.Encoder) { array(e, pickle.Int8, []int{2, 2}, "wxyz") }, `an array of int8`},
		{"bytes", "feature", func(e *pickle.Encoder) { e.Bytes([]byte("wxyz")) }, `feature "rgb": bytes, expected`},
	} {
		v, err := readOne(t, func(e *pickle.Encoder) {
			p := parts(e)
			if delete(p, c.key); c.write != nil {
				p[c.key] = func() { c.write(e) }
			}
			e.Dict(func() {
				for _, key := range []string{"feature", "label", "nframes", "video"} {
					if p[key] != nil {
						e.Str(key)
						p[key]()
					}
				}
			})
		})
		if c.want != "" {
			if err == nil || !strings.HasPrefix(err.Error(), "yt8m: x.pkl: video 0: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %v, want %q", c.name, err, c.want)
			}
			continue
		}
		want := &Video{ID: []byte("abcd"), Labels: []int32{3}, Frames: 2, Rows: [][][]byte{{[]byte("wx"), []byte("yz")}}}
		if diff := cmp.Diff(want, v); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
	_, err := readOne(t, func(e *pickle.Encoder) { e.List(func() { e.Int(1) }) })
	if err == nil || !strings.Contains(err.Error(), "yt8m: x.pkl: video 0: a list of 1, expected a dict") {
		t.Errorf("a list for a video: %v", err)
	}
}

// TestPickleEncoder: what is written is what is read, whatever a feature is called.
func TestPickleEncoder(t *testing.T) {
	v := testVideo(6)
	v.Frames = 4 // of more rows
	name := filepath.Join(t.TempDir(), "x")
	for _, names := range [][]string{{"rgb", "audio"}, {"flow", "rgb"}, {"feature", "pose"}} {
		writePickle(t, name, names, []*Video{v, v})
		r, err := Open(name, Spec{Names: names, Dims: testDims, MaxFrames: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for range 2 {
			got, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(v, got); diff != "" {
				t.Errorf("%v (-want +got):\n%s", names, diff)
			}
		}
	}
	for _, names := range [][]string{{"rgb", "feature"}, {"label"}, {"a", "nframes"}} {
		if _, err := NewPickleEncoder(pickle.NewEncoder(io.Discard), names); err == nil {
			t.Errorf("%v: no error", names)
		}
	}
}

// FuzzPickled reads any bytes as a pickle of videos, at a cost in memory that is bounded by their number: listing them all, and
// each video.
func FuzzPickled(f *testing.F) {
	for _, pattern := range []string{"*.pkl", "bad/*.pkl"} {
		files, err := filepath.Glob(filepath.Join(pickleDir, pattern))
		if err != nil || len(files) < 10 {
			f.Fatalf("%d files, %v", len(files), err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 4<<10 {
				f.Add(data)
			}
		}
	}
	specs := []Spec{{Names: []string{"rgb", "audio"}, Dims: []int{6, 3}, Classes: 3862}, {Names: []string{"feature"}, Dims: []int{6}, MaxFrames: -1}}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, spec := range specs {
			d, err := NewDecoder(spec)
			if err != nil {
				t.Fatal(err)
			}
			p := pickledVideos{name: "x"}
			within(t, data, func() { p.items, p.err = unpickle(bytes.NewReader(data), int64(len(data)), "x") })
			var v *Video
			for err == nil {
				within(t, data, func() { v, err = p.next(d, &Video{}) })
				var e *Error
				switch {
				case errors.As(err, &e):
					err = nil
				case err == nil && (len(v.ID) == 0 || v.Frames < 1 || len(v.Rows[0]) < v.Frames || len(v.Rows[0][v.Frames-1]) != spec.Dims[0]):
					t.Fatalf("accepted: %d frames, %d rows", v.Frames, len(v.Rows[0]))
				}
			}
		}
	})
}

// within fails where do allocates more than 16 times the input and 1 MiB.
func within(t *testing.T, data []byte, do func()) {
	t.Helper()
	if used := allocation.Of(do); used > allocation.Limit(len(data)) {
		t.Fatalf("%d bytes allocated for %d", used, len(data))
	}
}

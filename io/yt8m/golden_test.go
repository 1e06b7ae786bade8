package yt8m

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"avcu/io/tfrecord"

	"github.com/google/go-cmp/cmp"
)

// The files that TensorFlow wrote, and their damaged copies, lie with the package that reads their framing.
const goldenDir = "../tfrecord/testdata"

type goldenRecord struct {
	ID        string  `json:"id"`
	Labels    []int32 `json:"labels"`
	Frames    int     `json:"frames"`
	RGBRows   int     `json:"rgb_rows"`
	AudioRows int     `json:"audio_rows"`
	RGBSum    string  `json:"rgb_sha256"`
	AudioSum  string  `json:"audio_sha256"`
}

type goldenCase struct {
	Name    string         `json:"name"`
	Path    string         `json:"path"`
	Dims    []int          `json:"dims"`
	Classes int            `json:"classes"`
	Records []goldenRecord `json:"records"`
	Wrong   string         `json:"wrong"`
	Byte    int64          `json:"byte_offset"`
	Good    int64          `json:"good_records_before"`
	Proto   bool           `json:"proto_error"`
	Engine  string         `json:"engine"`
}

func golden(t testing.TB) []goldenCase {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(goldenDir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Cases []goldenCase `json:"cases"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	for _, c := range manifest.Cases {
		if c.Path != "" {
			cases = append(cases, c)
		}
	}
	return cases
}

func digest(rows [][]byte) string {
	h := sha256.New()
	for _, row := range rows {
		h.Write(row)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// open opens a file of rgb and audio.
func openPair(t testing.TB, name string, dims []int, classes, maxFrames int) *Reader {
	t.Helper()
	if dims == nil {
		dims = []int{24, 8}
	}
	r, err := Open(name, Spec{Names: []string{"rgb", "audio"}, Dims: dims, Classes: classes, MaxFrames: maxFrames})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestGolden(t *testing.T) {
	files := 0
	for _, c := range golden(t) {
		if c.Wrong != "" {
			continue
		}
		files++
		for _, maxFrames := range []int{-1, 0, 7} { // all, the default, few
			t.Run(fmt.Sprintf("%s/%d", c.Name, maxFrames), func(t *testing.T) {
				r := openPair(t, filepath.Join(goldenDir, c.Name), c.Dims, c.Classes, maxFrames)
				limit := map[int]int{-1: 1 << 30, 0: DefaultMaxFrames, 7: 7}[maxFrames]
				var got, want []goldenRecord
				for _, w := range c.Records {
					w.Frames, w.RGBRows, w.AudioRows = min(w.Frames, limit), min(w.RGBRows, limit), min(w.AudioRows, limit)
					if maxFrames >= 0 {
						w.RGBSum, w.AudioSum = "", "" // they are of all rows
					}
					want = append(want, w)
				}
				for {
					v, err := r.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					g := goldenRecord{ID: string(v.ID), Labels: append([]int32{}, v.Labels...), Frames: v.Frames,
						RGBRows: len(v.Rows[0]), AudioRows: len(v.Rows[1])}
					if maxFrames < 0 {
						g.RGBSum, g.AudioSum = digest(v.Rows[0]), digest(v.Rows[1])
					}
					got = append(got, g)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
	if files < 10 {
		t.Errorf("%d files", files)
	}
}

// TestGoldenDamage reads what is wrong inside a record whose framing is right; damaged framing is tested with the framing.
func TestGoldenDamage(t *testing.T) {
	want := map[string]struct {
		say    string
		detail int64 // the byte of the file that the error names; 0: none is named, as something is missing
	}{
		"bad/varint_overflow.tfrecord": {"malformed protobuf: variable length integer overflow; write the record again", 311},
		"bad/proto_truncated.tfrecord": {"malformed protobuf: a message ends in the middle of a field; write the record again", 361},
		"bad/wrong_width.tfrecord":     {`feature "rgb": frame 3 is 23 bytes wide, expected 24: set feature_dims to the widths of these files, or remove the video`, 539},
		"bad/wrong_width_all.tfrecord": {`feature "audio": frame 0 is 16 bytes wide, expected 8: set feature_dims to the widths of these files, or remove the video`, 374},
		"bad/no_audio.tfrecord":        {`feature "audio": missing; the record has the feature lists "rgb": set feature_names to the names in these files`, 0},
		"bad/no_frames.tfrecord":       {`feature "rgb": zero frames, expected one or more: remove the video`, 0},
		"bad/no_id.tfrecord":           {"no context feature id or video_id: the record is no frame-level YouTube-8M video: name files of frame-level data, or write the record again", 0},
		"bad/negative_label.tfrecord":  {`feature "labels": label -1 is negative: remove the label or the video`, 345},
		"bad/empty_record.tfrecord":    {"no context feature id or video_id: the record is no frame-level YouTube-8M video: name files of frame-level data, or write the record again", 0},
	}
	for _, c := range golden(t) {
		if !c.Proto {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			w, ok := want[c.Name]
			delete(want, c.Name)
			name := filepath.Join(goldenDir, c.Name)
			r := openPair(t, name, nil, 0, 0)
			for i := range c.Good {
				if _, err := r.Next(); err != nil {
					t.Fatalf("record %d: %v", i, err)
				}
			}
			_, err := r.Next()
			var e *Error
			if !ok || !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			if at := (tfrecord.Position{File: name, Record: c.Good, Offset: 298}); e.Position != at {
				t.Errorf("position %v, want %v", e.Position, at)
			}
			text := fmt.Sprintf("yt8m: %s: record %d at byte 298: %s", name, c.Good, w.say)
			if w.detail > 0 {
				text += fmt.Sprintf(" (at byte %d)", w.detail)
			}
			if err.Error() != text {
				t.Errorf("error reads\n%s\nwant\n%s", err, text)
			}
			if c.Byte != 298 && c.Byte != w.detail {
				t.Errorf("byte %d, the manifest has %d", w.detail, c.Byte)
			}
			if _, err := r.Next(); err != nil && err != io.EOF { // reading goes on after it
				t.Errorf("the next record: %v", err)
			}
		})
	}
	if len(want) > 0 {
		t.Errorf("not in the manifest: %v", want)
	}
}

func TestLabelsOutsideClasses(t *testing.T) {
	r := openPair(t, filepath.Join(goldenDir, "labels.tfrecord"), nil, 3862, 0)
	for range 2 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := r.Next()
	if err == nil || !strings.Contains(err.Error(), `record 2 at byte 492: feature "labels": label 16383, expected 0 to 3861: set num_classes`) {
		t.Errorf("error %v", err)
	}
}

// TestEncodeGolden encodes what was decoded: TensorFlow's own bytes come out again.
func TestEncodeGolden(t *testing.T) {
	encoder := NewEncoder([]string{"rgb", "audio"})
	same := 0
	for _, c := range golden(t) {
		if c.Wrong != "" || c.Dims == nil {
			continue
		}
		name := filepath.Join(goldenDir, c.Name)
		r := openPair(t, name, c.Dims, 0, -1)
		records, err := tfrecord.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer records.Close()
		for i := range c.Records {
			v, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			encoded := encoder.Append(nil, v)
			want, err := records.Next()
			if err != nil {
				t.Fatal(err)
			}
			// Other encodings, and what an Encoder does not write: the first release's id, segments.
			other := strings.HasPrefix(c.Name, "video_id") || strings.HasPrefix(c.Name, "segments") && i < 2 || strings.HasPrefix(c.Name, "unusual") && i == 0
			if other {
				var again Video
				d, _ := NewDecoder(Spec{Names: []string{"rgb", "audio"}, Dims: c.Dims, MaxFrames: -1})
				if err := d.Decode(encoded, &again); err != nil {
					t.Errorf("%s, record %d: %v", c.Name, i, err)
				}
				if diff := cmp.Diff(*v, again); diff != "" {
					t.Errorf("%s, record %d (-want +got):\n%s", c.Name, i, diff)
				}
			} else if same++; string(encoded) != string(want) {
				t.Errorf("%s, record %d: %d bytes differ from TensorFlow's %d", c.Name, i, len(encoded), len(want))
			}
		}
	}
	if same < 20 {
		t.Errorf("%d records compared", same)
	}
}

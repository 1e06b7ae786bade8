package pickle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testdata holds files of Paddle's forms written by Python 2.7 to 3.11, and damaged ones; manifest.json says what is in each.
type manifest struct {
	Cases []struct {
		Name   string  `json:"name"`
		Dims   []int   `json:"dims"`
		Videos []video `json:"videos"`
		Wrong  string  `json:"wrong"`
		Byte   *int64  `json:"byte_offset"`
	} `json:"cases"`
	Result [][3]any `json:"infer_result"` // id, probabilities, classes
}

type video struct {
	ID      string  `json:"video"`
	Frames  int64   `json:"nframes"`
	Labels  []int64 `json:"label"`
	Rows    [2]int  `json:"rows"`
	Feature string  `json:"feature_sha256"`
	Audio   string  `json:"audio_sha256"`
}

func golden(t *testing.T) (m manifest) {
	t.Helper()
	text, err := os.ReadFile("testdata/manifest.json")
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil || len(m.Cases) < 20 {
		t.Fatalf("%d cases: %v", len(m.Cases), err)
	}
	return m
}

func open(t *testing.T, name string) any {
	t.Helper()
	f, err := Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f.Value
}

// hash returns the SHA-256 of an array of bytes with that many columns, and its rows.
func hash(t *testing.T, v any, columns int) (string, int) {
	t.Helper()
	a, ok := v.(*NDArray)
	if !ok || a.DType != Uint8 || len(a.Shape) != 2 || a.Shape[1] != columns {
		t.Fatalf("%s, want %d columns of uint8", Describe(v), columns)
	}
	b, err := a.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, len(b)/2/columns*columns)
	if err := a.Read(first); err != nil || string(first) != string(b[:len(first)]) {
		t.Errorf("the first rows alone are others: %v", err)
	}
	r, err := a.Reader()
	if err != nil {
		t.Fatal(err)
	}
	through := make([]byte, len(b))
	if _, err := r.ReadAt(through, 0); err != nil && len(b) > 0 || string(through) != string(b) {
		t.Errorf("Reader gives other bytes: %v", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), a.Shape[0]
}

func TestFeatures(t *testing.T) {
	for _, c := range golden(t).Cases {
		if c.Wrong != "" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			list, ok := open(t, c.Name).(*List)
			if !ok || len(list.Items) != len(c.Videos) {
				t.Fatalf("not a list of %d", len(c.Videos))
			}
			for i, item := range list.Items {
				d, ok := item.(*Dict)
				if !ok || len(d.Entries) != 5 {
					t.Fatalf("video %d is %s", i, Describe(item))
				}
				var got video
				id, _ := d.Get("video")
				got.ID, _ = Text(id)
				frames, _ := d.Get("nframes")
				got.Frames, _ = frames.(int64)
				labels, _ := d.Get("label")
				if got.Labels, ok = Ints(labels); !ok {
					t.Errorf("labels are %s", Describe(labels))
				}
				feature, _ := d.Get("feature")
				got.Feature, got.Rows[0] = hash(t, feature, c.Dims[0])
				audio, _ := d.Get("audio")
				got.Audio, got.Rows[1] = hash(t, audio, c.Dims[1])
				want := c.Videos[i]
				if !slices.Equal(got.Labels, want.Labels) {
					t.Errorf("video %d: labels %v, want %v", i, got.Labels, want.Labels)
				}
				got.Labels, want.Labels = nil, nil
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("video %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

func TestDamage(t *testing.T) {
	want := map[string]error{
		"bad/truncated.pkl":    ErrTruncated,
		"bad/empty.pkl":        ErrTruncated,
		"bad/not_a_pickle.pkl": ErrNotPickle,
		"bad/unsafe.pkl":       ErrRefused,
	}
	for _, c := range golden(t).Cases {
		path := filepath.Join("testdata", c.Name)
		f, err := Open(path)
		if err == nil {
			f.Close()
		}
		var e *Error
		switch {
		case want[c.Name] == nil:
			if err != nil { // what is wrong is only known to who knows the model
				t.Errorf("%s: %v", c.Name, err)
			}
		case !errors.Is(err, want[c.Name]) || !errors.As(err, &e) || e.File != path || c.Byte != nil && e.Offset != *c.Byte:
			t.Errorf("%s: %v, want %v", c.Name, err, want[c.Name])
		case !strings.HasPrefix(err.Error(), "pickle: "+path+": byte ") || !strings.HasSuffix(err.Error(), ")"):
			t.Errorf("error reads %q, want the file, the byte and a remedy", err)
		}
	}
	if _, err := Open("testdata/bad/unsafe.pkl"); !strings.Contains(err.Error(), "posix.getcwd") {
		t.Errorf("error %q does not name the global", err)
	}
	if _, err := Open("testdata"); err == nil || !strings.Contains(err.Error(), "testdata") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open("testdata/none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// TestCut cuts each good file at many places: always an error, at or before the cut.
func TestCut(t *testing.T) {
	for _, c := range golden(t).Cases {
		if c.Wrong != "" {
			continue
		}
		data, err := os.ReadFile(filepath.Join("testdata", c.Name))
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(data); n += 1 + len(data)/500 {
			_, err := decode(data[:n])
			var e *Error
			if !errors.As(err, &e) || e.Err != ErrTruncated || e.Offset > int64(n) {
				t.Fatalf("%s cut to %d bytes: %v", c.Name, n, err)
			}
		}
	}
}

func TestResult(t *testing.T) {
	want := golden(t).Result
	for _, name := range []string{"py27", "py37", "py311"} {
		list, ok := open(t, "two_mod_infer_result_"+name).(*List)
		if !ok || len(list.Items) != len(want) {
			t.Fatalf("not a list of %d", len(want))
		}
		for i, item := range list.Items {
			tuple, ok := item.(*Tuple)
			if !ok || len(tuple.Items) != 3 {
				t.Fatalf("%s, want a tuple of 3", Describe(item))
			}
			var got [3]any
			got[0], _ = Text(tuple.Items[0])
			got[1], _ = Items(tuple.Items[1])
			classes, _ := Ints(tuple.Items[2])
			var wide []any
			for _, c := range classes {
				wide = append(wide, float64(c))
			}
			got[2] = wide
			if diff := cmp.Diff(want[i], got); diff != "" {
				t.Errorf("%s: video %d (-want +got):\n%s", name, i, diff)
			}
		}
	}
}

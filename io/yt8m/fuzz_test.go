package yt8m

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"avcu/io/allocation"
	"avcu/io/tfrecord"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protowire"
)

// FuzzDecode compares the Decoder with the protobuf library. Where the library accepts a record and finds a video that fits,
// so must the Decoder, and find the same, at a cost in memory that is bounded by the record's size; where the library finds a
// message that does not fit, the Decoder must refuse it. What is no protobuf message in a part that is of no use here may pass.
func FuzzDecode(f *testing.F) {
	f.Add(message(goodContext, goodLists))
	f.Add(message(nest(1, idOf("abcd"), entryOf("labels", nest(3, number(1, 5)), nest(3, text(1, "\x02")))), goodLists))
	f.Add(message(goodLists, nest(1, nest(1, nest(2, nest(1, text(1, "id__"))), text(1, "video_id")))))
	f.Add(message(protowire.AppendGroup(protowire.AppendTag(nil, 6, protowire.StartGroupType), 6, number(1, 1)), goodContext, goodLists))
	files, _ := filepath.Glob(goldenDir + "/*.tfrecord")
	bad, _ := filepath.Glob(goldenDir + "/bad/*.tfrecord")
	for _, name := range append(files, bad...) {
		r, err := tfrecord.Open(name)
		if err != nil {
			continue
		}
		for {
			data, err := r.Next()
			if err != nil {
				break
			}
			if len(data) < 3000 {
				f.Add(append([]byte(nil), data...))
			}
		}
		r.Close()
	}
	reference := newOracle(f)
	specs := []Spec{small, {Names: []string{"rgb", "audio"}, Dims: []int{24, 8}, Classes: 3862, MaxFrames: 10}, {Names: []string{"f"}, Dims: []int{1}, MaxFrames: 1 << 30}}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, spec := range specs {
			got, err := decoded(t, spec, data)
			want, ok, broken := reference.decode(data, spec)
			var e *DecodeError
			switch {
			case err != nil && !errors.As(err, &e):
				t.Fatalf("an error of another type: %v", err)
			case err != nil && e.At > len(data):
				t.Fatalf("an error at byte %d of %d: %v", e.At, len(data), err)
			case broken != nil:
			case ok && err != nil:
				t.Fatalf("refused: %v", err)
			case !ok && err == nil:
				t.Fatal("accepted")
			case ok:
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("(-library +got):\n%s", diff)
				}
			}
		}
	})
}

// decoded is what a new Decoder makes of data, within the memory that it may take.
func decoded(t *testing.T, spec Spec, data []byte) (v Video, err error) {
	if used := allocation.Of(func() {
		var d *Decoder
		if d, err = NewDecoder(spec); err != nil {
			t.Fatal(err)
		}
		err = d.Decode(data, &v)
	}); used > allocation.Limit(len(data)) {
		t.Errorf("%d bytes allocated for %d", used, len(data))
	}
	return v, err
}

// TestDecodeMemory decodes records that hold as much as can be in few bytes.
func TestDecodeMemory(t *testing.T) {
	one := Spec{Names: []string{"f"}, Dims: []int{1}, MaxFrames: -1}
	const n = 1<<20 + 1 // one more than fits where room is doubled
	labels := nest(1, idOf("abcd"), entryOf("labels", nest(3, text(1, strings.Repeat("\x05", n)))))
	frames := nest(2, nest(1, text(1, "f"), nest(2, []byte(strings.Repeat(string(row("a")), n/8+1)))))
	for name, data := range map[string][]byte{
		"labels":           message(labels, nest(2, entryOf("f", row("a")))),
		"frames":           message(goodContext, frames),
		"both":             message(labels, frames),
		"labels and again": message(labels, labels, labels, frames, frames),
		"other lists":      message(goodContext, nest(2, []byte(strings.Repeat(string(entryOf("other")), n/8)))),
	} {
		if v, err := decoded(t, one, data); err != nil && name != "other lists" {
			t.Errorf("%s: %v", name, err)
		} else if err == nil && v.Frames == 0 {
			t.Errorf("%s: no frames", name)
		}
	}
}

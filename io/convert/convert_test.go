package convert

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Files that Python and TensorFlow wrote lie with the packages that read them.
const pickles, records = "../pickle/testdata", "../tfrecord/testdata"

var ctx = context.Background()

// dimsOf are the widths of the files that were given.
func dimsOf(name string) []int {
	for _, part := range []string{"py2_narrow", "narrow", "video_id", "counts_differ", "segments", "labels", "packed", "unusual"} {
		if strings.Contains(name, part) {
			return []int{24, 8}
		}
	}
	if strings.Contains(name, "wide") {
		return []int{1024, 128}
	}
	return []int{6, 3}
}

func given(t *testing.T, patterns ...string) (files []string) {
	t.Helper()
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) < 8 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		files = append(files, found...)
	}
	return files
}

// TestRecordsComeBack: TFRecord to pickle to TFRecord, frames that do not count too; what the encoder writes as TensorFlow did
// comes back as the same bytes.
func TestRecordsComeBack(t *testing.T) {
	same := 0
	for _, from := range given(t, records+"/*.tfrecord*") {
		dir := t.TempDir()
		o := Options{Names: pair.Names, Dims: dimsOf(from)}
		o.To = filepath.Join(dir, "x.pkl")
		if _, err := Videos(ctx, []string{from}, o); err != nil {
			t.Fatal(err)
		}
		o.To = filepath.Join(dir, "x.tfrecord")
		if _, err := Videos(ctx, []string{filepath.Join(dir, "x.pkl")}, o); err != nil {
			t.Fatal(err)
		}
		want := videosIn(t, from, o.Names, o.Dims, true)
		if diff := cmp.Diff(want, videosIn(t, o.To, o.Names, o.Dims, true)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", from, diff)
		}
		// In the pickle, the frames that count are the same ones.
		want = videosIn(t, from, o.Names, o.Dims, false)
		if diff := cmp.Diff(want, videosIn(t, filepath.Join(dir, "x.pkl"), o.Names, o.Dims, false), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: in the pickle (-want +got):\n%s", from, diff)
		}
		a, _ := os.ReadFile(from)
		if b, err := os.ReadFile(o.To); err == nil && string(a) == string(b) {
			same++
		}
	}
	if same < 5 {
		t.Errorf("%d files came back as the same bytes", same)
	}
}

// TestPicklesComeBack: pickle to TFRecord to pickle. The frames after nframes are gone, and an nframes over 300 has become 300.
func TestPicklesComeBack(t *testing.T) {
	long := int64(0)
	for _, from := range given(t, pickles+"/*.pkl") {
		dir := t.TempDir()
		o := Options{Names: pair.Names, Dims: dimsOf(from), To: filepath.Join(dir, "x.tfrecord.gz")}
		report, err := Videos(ctx, []string{from}, o)
		if err != nil {
			t.Fatal(err)
		}
		long += report.Long
		o.To = filepath.Join(dir, "out.pkl") + string(filepath.Separator)
		if _, err := Videos(ctx, []string{filepath.Join(dir, "x.tfrecord.gz")}, o); err != nil {
			t.Fatal(err)
		}
		want := videosIn(t, from, o.Names, o.Dims, false)
		for i, v := range want {
			if v.Frames > 300 {
				want[i].Frames, want[i].Rows = 300, [][]string{v.Rows[0][:300], v.Rows[1][:300]}
			}
		}
		for _, name := range []string{"x.tfrecord.gz", "out.pkl/x.pkl"} {
			if diff := cmp.Diff(want, videosIn(t, filepath.Join(dir, name), o.Names, o.Dims, false), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", from, name, diff)
			}
		}
	}
	if long != 1 {
		t.Errorf("%d videos of more than 300 frames", long)
	}
}

// inputs are pickles of one width, copied into a folder.
func inputs(t *testing.T) (folder string, files []string) {
	t.Helper()
	folder = t.TempDir()
	for i, from := range given(t, pickles+"/py3*.pkl") {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, save(t, data, folder, fmt.Sprintf("in%d.pkl", i)))
	}
	return folder, files
}

// TestRestart: a run that is stopped anywhere, and started again, leaves what an unbroken one does.
func TestRestart(t *testing.T) {
	_, files := inputs(t)
	o := pair
	o.To = filepath.Join(t.TempDir(), "unbroken")
	whole, err := Videos(ctx, files, o)
	if err != nil || whole.Videos != int64(6*len(files)) || whole.Kept != 0 {
		t.Fatalf("%+v, %v", whole, err)
	}
	want := tree(t, o.To)
	if len(want) != len(files) {
		t.Fatalf("%d files", len(want))
	}
	stopped := errors.New("stopped here")
	for _, at := range []int64{1, 6, 7, 20, whole.Videos - 1} {
		o.To = filepath.Join(t.TempDir(), "broken")
		ctx, cancel := context.WithCancelCause(ctx)
		o.Progress = func(stage string, done, total int64) {
			if total != whole.Videos || stage != "converting" {
				t.Errorf("progress of %s: %d of %d", stage, done, total)
			}
			if done == at {
				cancel(stopped)
			}
		}
		if _, err := Videos(ctx, files, o); !errors.Is(err, stopped) {
			t.Fatalf("stopped at %d: %v", at, err)
		}
		for name, data := range tree(t, o.To) {
			if want[name] != data {
				t.Errorf("stopped at %d: %s has other bytes", at, name)
			}
		}
		save(t, []byte("half"), o.To, ".in3.tfrecord.4711.tmp") // what a kill leaves
		o.Progress = nil
		for i, kept := range []int{-1, len(files)} {
			before := len(tree(t, o.To))
			report, err := Videos(context.Background(), files, o)
			if kept < 0 {
				kept = before - 1
			}
			if err != nil || report.Kept != kept || report.Videos != whole.Videos {
				t.Errorf("stopped at %d, run %d: %+v, want %d kept, %v", at, i, report, kept, err)
			}
		}
		if diff := cmp.Diff(want, tree(t, o.To)); diff != "" {
			t.Errorf("stopped at %d: other files", at)
		}
	}
}

// TestChangedInput: an output is made again where its input is newer, and refused where it is of something else.
func TestChangedInput(t *testing.T) {
	_, files := inputs(t)
	o := pair
	o.To = filepath.Join(t.TempDir(), "x.tfrecord")
	if _, err := Videos(ctx, files[:1], o); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(o.To)
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(files[0], later, later); err != nil {
		t.Fatal(err)
	}
	if report, err := Videos(ctx, files[:1], o); err != nil || report.Kept != 0 {
		t.Errorf("a newer input: %+v, %v", report, err)
	}
	for _, c := range []struct {
		name string
		args func() ([]string, Options)
		want string
	}{
		{"other videos", func() ([]string, Options) { return files[1:2], o }, `is not what ` + files[1] + ` would become (video 0 has the `},
		{"other features", func() ([]string, Options) {
			o := o
			o.Names, o.Dims = []string{"audio"}, []int{4}
			return files[:1], o
		}, "audio"},
		{"itself", func() ([]string, Options) { o := o; o.To = files[0]; return files[:1], o }, "written over itself"},
		{"several into one", func() ([]string, Options) { return files, o }, "name a folder"},
		{"two of one name", func() ([]string, Options) { o := o; o.To = t.TempDir(); return []string{files[0], files[0]}, o }, "would both become"},
		{"both forms", func() ([]string, Options) { p := o; p.To = t.TempDir(); return []string{files[0], o.To}, p }, "is a pickle and"},
		{"a bad one", func() ([]string, Options) {
			p := o
			p.To = filepath.Dir(o.To)
			bad := save(t, []byte("\x80\x02}q\x01."), t.TempDir(), "x.pkl")
			return []string{bad}, p
		}, "the pickle holds a dict of 0"},
		{"a feature that a pickle cannot hold", func() ([]string, Options) {
			p := o
			p.Names, p.To = []string{"label", "audio"}, filepath.Join(t.TempDir(), "x.pkl")
			return files[1:2], p
		}, "label"},
	} {
		from, o := c.args()
		before := tree(t, filepath.Dir(files[0]))
		if _, err := Videos(ctx, from, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		if diff := cmp.Diff(before, tree(t, filepath.Dir(files[0]))); diff != "" {
			t.Errorf("%s: the inputs have changed", c.name)
		}
	}
	if now, err := os.ReadFile(o.To); err != nil || string(now) != string(data) {
		t.Errorf("what was there is lost: %v", err)
	}
	if entries := tree(t, filepath.Dir(o.To)); len(entries) != 1 {
		t.Errorf("%d files are left", len(entries))
	}
}

func TestPlaces(t *testing.T) {
	_, files := inputs(t)
	dir := t.TempDir()
	for _, c := range []struct {
		files []string
		to    string
		form  Form
		want  string
	}{
		{files[:1], "new", TFRecord, "new/in0.tfrecord"},
		{files[:1], "new/", TFRecord, "new/in0.tfrecord"},
		{files[:1], "x.pickle", Pickle, "x.pickle"},
		{files[:1], "x.tfrecord.gz", Gzip, "x.tfrecord.gz"},
		{files[:2], "x.pkl/", Pickle, "x.pkl/in0.pkl x.pkl/in1.pkl"},
		{[]string{records + "/packed_gzip.tfrecord.gz"}, "new", Pickle, "new/packed_gzip.pkl"},
		{[]string{records + "/narrow.tfrecord"}, "v1.5", Pickle, "v1.5/narrow.pkl"},
	} {
		form, outputs, err := places(c.files, filepath.Join(dir, c.to)+map[bool]string{true: "/"}[strings.HasSuffix(c.to, "/")])
		for i := range outputs {
			outputs[i], _ = filepath.Rel(dir, outputs[i])
		}
		if got := strings.Join(outputs, " "); err != nil || form != c.form || got != c.want {
			t.Errorf("%s: form %d, %s, %v", c.to, form, got, err)
		}
	}
}
